// The gateway's own credentials: asked for once at a time, renewed before they expire, and never an exception.
import t from 'tap'
import { createGatewayCredentials } from '../../src/aws/gateway-credentials.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const MINUTE_MS = 60_000

function start(lifeMs: number | 'for ever' = 60 * MINUTE_MS) {
  const clock = createFakeClock()
  let count = 0
  let trouble: unknown
  const credentials = createGatewayCredentials(clock, async () => {
    const number = ++count
    await new Promise((resolve) => setImmediate(resolve))
    if (trouble !== undefined) throw trouble === 'nothing' ? undefined : trouble
    const keys = { accessKeyId: `AKIA${number}`, secretAccessKey: 's', sessionToken: 't' }
    return lifeMs === 'for ever'
      ? { accessKeyId: `AKIA${number}`, secretAccessKey: 's' }
      : { ...keys, expiration: new Date(clock.now() + lifeMs) }
  })
  return {
    clock,
    credentials,
    count: () => count,
    fail: (error: unknown) => {
      trouble = error
    },
  }
}

t.test('many who ask at once are one question, and later ones wait for nothing', async (t) => {
  const { clock, credentials, count } = start()
  const found = await Promise.all(Array.from({ length: 100 }, () => credentials.find()))
  t.equal(count(), 1)
  t.same(new Set(found).size, 1)
  t.same(found[0], {
    accessKeyId: 'AKIA1',
    secretAccessKey: 's',
    sessionToken: 't',
    expiresAtMs: clock.now() + 60 * MINUTE_MS,
  })
  t.equal(credentials.find(), found[0])
})

t.test('they are renewed five minutes before they expire, and not earlier', async (t) => {
  const { clock, credentials, count } = start()
  await credentials.find()
  await clock.advance(55 * MINUTE_MS - 1)
  t.notOk(credentials.find() instanceof Promise)
  await clock.advance(1)
  t.match(await credentials.find(), { accessKeyId: 'AKIA2' })
  t.equal(count(), 2)
  t.notOk(credentials.find() instanceof Promise)
})

t.test('those that last for less than that are asked for each time, and given', async (t) => {
  const { credentials, count } = start(5 * MINUTE_MS)
  t.match(await credentials.find(), { accessKeyId: 'AKIA1' })
  t.match(await credentials.find(), { accessKeyId: 'AKIA2' })
  t.equal(count(), 2)
})

t.test('those without an expiry are kept for good', async (t) => {
  const { clock, credentials, count } = start('for ever')
  t.match(await credentials.find(), { expiresAtMs: Number.POSITIVE_INFINITY })
  await clock.advance(1_000 * 24 * 60 * MINUTE_MS)
  t.match(credentials.find(), { accessKeyId: 'AKIA1' })
  t.equal(count(), 1)
})

t.test('where there are none that is an answer, and the next request asks again', async (t) => {
  const { credentials, count, fail } = start()
  for (const error of [new Error('no providers'), 'a text', 'nothing', null, { message: 1 }]) {
    fail(error)
    const found = await Promise.all([credentials.find(), credentials.find()])
    for (const one of found) t.match(one, { kind: 'unavailable', retryAfterSeconds: 5 })
  }
  t.equal(count(), 5)
  fail(new Error('no providers'))
  t.match(await credentials.find(), { detail: /no credentials of its own: no providers$/ })
  fail(undefined)
  t.match(await credentials.find(), { accessKeyId: 'AKIA7' })
})

t.test('a loader that throws at once rejects nobody either', async (t) => {
  let asked = 0
  const credentials = createGatewayCredentials(createFakeClock(), () => {
    asked++
    throw new Error('at once')
  })
  t.match(await credentials.find(), { kind: 'unavailable', detail: /at once/ })
  t.equal(asked, 1)
  await credentials.find()
  t.equal(asked, 2, 'and is asked again')
})
