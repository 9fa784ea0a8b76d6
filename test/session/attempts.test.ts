// Attempts to sign in: each in a cookie of its own, few of them, for ten minutes, and only for the browser that began them.
import t from 'tap'
import {
  type Attempt,
  attemptCookieOf,
  createAttempts,
  expireAttempts,
} from '../../src/session/attempts.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function create(seal = createSeal(['k'.repeat(32)]), clock = createFakeClock()) {
  return { clock, seal, attempts: createAttempts('main', seal, clock) }
}

function toAttempt(state: string, startedMs: number): Attempt {
  return {
    state,
    nonce: 'n',
    verifier: 'v',
    origin: 'https://app.example.com',
    returnTo: 'https://app.example.com/a',
    startedMs,
  }
}

const pairOf = (line: string) => line.slice(0, line.indexOf(';'))

t.test('B-22: states are 128 random bits behind a name in the order of time', async (t) => {
  const { attempts, clock } = create()
  const states = new Set(Array.from({ length: 1000 }, () => attempts.newState()))
  t.equal(states.size, 1000)
  t.ok([...states].every((state) => /^[0-9a-z]{9}[0-9a-f]{8}\.[\w-]{22}$/.test(state)))
  const early = attempts.newState()
  await clock.advance(1)
  t.ok(attempts.newState().slice(0, 9) > early.slice(0, 9))
})

t.test('an attempt is found by its state, in the browser that has its cookie', async (t) => {
  const { attempts, clock } = create()
  const attempt = toAttempt(attempts.newState(), clock.now())
  const [line = '', ...others] = await attempts.begin([], attempt)
  t.same(others, [])
  t.match(
    line,
    /^__Host-poolgate-attempt-[0-9a-z]{17}=\S+; Max-Age=600; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
  )
  const headers = ['Cookie', `a=1; ${pairOf(line)}`]
  t.same(await attempts.find(headers, attempt.state), attempt)
  t.equal(await attempts.find([], attempt.state), undefined, 'another browser')
  const [id = ''] = attempt.state.split('.')
  const forged = `${id}.${'A'.repeat(22)}`
  t.equal(attemptCookieOf(forged), attemptCookieOf(attempt.state))
  t.equal(await attempts.find(headers, forged), undefined, 'the cookie’s name is not the state')
  for (const state of ['', id, `${attempt.state}x`, `${attempt.state}=`, attempts.newState()]) {
    t.equal(await attempts.find(headers, state), undefined, state)
  }
})

t.test('it is of one session, and whole', async (t) => {
  const { attempts, clock, seal } = create()
  const attempt = toAttempt(attempts.newState(), clock.now())
  const [line = ''] = await attempts.begin([], attempt)
  const headers = ['Cookie', pairOf(line)]
  t.equal(await createAttempts('other', seal, clock).find(headers, attempt.state), undefined)
  t.equal(await attempts.find(['Cookie', `${pairOf(line)}A`], attempt.state), undefined)
})

t.test('it lasts ten minutes, whatever the browser does with the cookie', async (t) => {
  const { attempts, clock } = create()
  const attempt = toAttempt(attempts.newState(), clock.now())
  const [line = ''] = await attempts.begin([], attempt)
  const headers = ['Cookie', pairOf(line)]
  await clock.advance(599_999)
  t.ok(await attempts.find(headers, attempt.state))
  await clock.advance(1)
  t.equal(await attempts.find(headers, attempt.state), undefined)
})

t.test('B-23: of 5,000 attempts a browser keeps the five latest', async (t) => {
  const { attempts, clock } = create()
  const jar = new Map<string, string>()
  const names: string[] = []
  for (let i = 0; i < 5000; i++) {
    const headers = ['Cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; ')]
    const attempt = toAttempt(attempts.newState(), clock.now())
    for (const line of await attempts.begin(headers, attempt)) {
      const [name = '', value = ''] = pairOf(line).split('=')
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    names.push(attemptCookieOf(attempt.state) ?? '')
    if (i % 1000 === 0) await clock.advance(1)
    if (jar.size > 5) t.fail(`${jar.size} attempts`)
  }
  t.equal(jar.size, 5)
  t.ok(jar.has(names.at(-1) ?? ''))
})

t.test('long ones make more room: a header of 8 KiB has to hold them', async (t) => {
  const { attempts, clock, seal } = create()
  const long = { ...seal, seal: async () => 'x'.repeat(3000) }
  const begin = (headers: string[]) =>
    createAttempts('main', long, clock).begin(headers, toAttempt(attempts.newState(), clock.now()))
  const cookie = (id: string, bytes: number) => `__Host-poolgate-attempt-${id}=${'y'.repeat(bytes)}`
  const expired = (lines: readonly string[]) => lines.slice(0, -1).map(pairOf)
  const room = 6 * 1024 - 3000 - 41
  t.same(expired(await begin(['Cookie', cookie('0', room - 25)])), [])
  t.same(expired(await begin(['Cookie', cookie('0', room - 24)])), ['__Host-poolgate-attempt-0='])
  t.same(expired(await begin(['Cookie', `${cookie('1', 9)}; ${cookie('0', room)}`])), [
    '__Host-poolgate-attempt-0=',
  ])
})

t.test('all of a browser’s attempts can be ended, with their cookies alone', async (t) => {
  const headers = [
    'Cookie',
    '__Host-poolgate-attempt-a=1; __Host-poolgate-main=2; __Host-poolgate-attempt-b=3',
  ]
  t.same(expireAttempts(headers).map(pairOf), [
    '__Host-poolgate-attempt-a=',
    '__Host-poolgate-attempt-b=',
  ])
})
