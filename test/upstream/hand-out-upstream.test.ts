// The caller's credentials as an answer: to whom, in which form, and what is said instead.
import { Readable } from 'node:stream'
import t from 'tap'
import type { CredentialsResult } from '../../src/aws/aws-credentials.ts'
import { type Login, toLogin } from '../../src/aws/login.ts'
import type { Allow } from '../../src/policy/decision.ts'
import type { UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { createHandOutUpstream } from '../../src/upstream/hand-out-upstream.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const GIVEN = {
  accessKeyId: 'ASIA1',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiresAtMs: Date.UTC(2026, 10, 26, 12),
}
const LOGIN = toLogin('provider', 'x.y.z', { sub: 'jane', aud: 'app', token_use: 'id' }, 1)

function start(result: CredentialsResult | Promise<CredentialsResult> = GIVEN) {
  const asked: unknown[] = []
  const pool = {
    find(login: Login | undefined) {
      asked.push(login)
      return result
    },
  }
  const upstream = createHandOutUpstream({ name: 'keys', clientIds: ['other', 'app'] }, pool)
  return {
    asked,
    upstream,
    ask(login: Login | undefined = LOGIN, changes: Partial<UpstreamRequest> = {}) {
      const sink = createRecordingSink()
      const allow = { kind: 'allow', login } as Allow
      const request = { method: 'GET', target: '/', headers: [], body: null, ...changes }
      return { ...sink, call: upstream.dispatch(allow, request, sink) }
    },
  }
}

t.test('it is what ECS’s endpoint answers, and nothing on the way may keep it', async (t) => {
  for (const result of [GIVEN, Promise.resolve(GIVEN)]) {
    const { ask, asked } = start(result)
    const { heard, done } = ask()
    await done
    const content = JSON.stringify({
      AccessKeyId: 'ASIA1',
      SecretAccessKey: 'secret',
      Token: 'token',
      Expiration: '2026-11-26T12:00:00.000Z',
    })
    t.same(heard, [
      [
        'head',
        200,
        [
          ...['content-type', 'application/json', 'cache-control', 'no-store'],
          ...['vary', 'Authorization, Cookie', 'x-content-type-options', 'nosniff'],
          ...['cross-origin-resource-policy', 'same-origin'],
          ...['content-length', String(content.length)],
        ],
      ],
      ['data', content],
      ['ended', []],
    ])
    t.same(asked, [LOGIN])
  }
})

t.test(
  'without a login, for another app client or by another method nobody is asked',
  async (t) => {
    const { ask, asked, upstream } = start()
    const of = (clientId: string) => ({ ...LOGIN, clientId })
    t.same(
      upstream.dispatch({ kind: 'allow' } as Allow, GET, createRecordingSink()).asked,
      undefined,
    )
    const nobody = createRecordingSink()
    upstream.dispatch({ kind: 'allow' } as Allow, GET, nobody)
    t.same(nobody.heard, [['failed', 'login']])
    for (const clientId of ['', 'ap', 'app ', 'apps', 'APP'])
      t.same(ask(of(clientId)).heard, [['failed', 'denied']], clientId)
    for (const method of ['POST', 'HEAD', 'PUT', 'OPTIONS', 'get'])
      t.same(ask(LOGIN, { method }).heard, [['failed', 'refused']], method)
    t.same(ask(LOGIN, { body: Readable.from(['x']) }).heard, [['failed', 'refused']])
    t.same(asked, [])
    await ask(of('other')).done
    t.equal(asked.length, 1)
  },
)

const GET: UpstreamRequest = { method: 'GET', target: '/', headers: [], body: null }

t.test('none are told as what they are', async (t) => {
  for (const [kind, told] of [
    ['denied', 'denied'],
    ['unavailable', 'credentials'],
  ] as const) {
    const { heard, done } = start({ kind, detail: 'why', retryAfterSeconds: 5 }).ask()
    await done
    t.same(heard, [['failed', told]])
  }
})

t.test('whoever has gone is answered nothing', async (t) => {
  const coming = Promise.withResolvers<CredentialsResult>()
  for (const result of [GIVEN, { kind: 'denied', detail: 'why' } as const]) {
    const { heard, call } = start(coming.promise).ask()
    call.abort()
    call.resume()
    coming.resolve(result)
    await new Promise((resolve) => setImmediate(resolve))
    t.same(heard, [])
  }
})

t.test('it is nowhere, and always there', async (t) => {
  const { upstream } = start()
  t.same(upstream.targets(), [])
  t.equal(upstream.ready(), true)
  t.match(upstream.report(), { name: 'keys', targets: [], retries: 0 })
  await upstream.close()
  await upstream.destroy()
})
