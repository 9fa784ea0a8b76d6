// The key endpoint comes, goes, hangs and rotates while requests go on.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { createIssuer, createKey, signToken, type TestKey } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { sendRaw } from '../support/raw-client.ts'
import { scrape } from '../support/scrape.ts'
import { type ConfigParts, type RunningGateway, startGateway } from '../support/start-gateway.ts'

const dead = (request: IncomingMessage) => void request.socket.destroy()
const broken = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(500).end()

async function start(t: Test, parts: ConfigParts = {}): Promise<RunningGateway> {
  const gate = await startGateway(parts)
  t.teardown(gate.stop)
  return gate
}

/** Waits until the first keys are there. */
async function startReady(t: Test, parts: ConfigParts = {}): Promise<RunningGateway> {
  const gate = await start(t, parts)
  await eventually('readiness', async () => (await readyz(gate)) === 200)
  return gate
}

async function readyz({ adminOrigin }: RunningGateway): Promise<number> {
  return (await fetch(`${adminOrigin}/readyz`)).status
}

async function call(gate: RunningGateway, token: string) {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${gate.origin}/api/x`, { headers })
  const { reason } = (await answer.json()) as { reason?: string }
  const retryAfter = answer.headers.get('retry-after')
  return { status: answer.status, reason, retryAfter: retryAfter && Number(retryAfter) }
}

/** A good token but for its key, which the set does not have (yet). */
function signWith({ kid, privateKey }: TestKey, gate: RunningGateway, changes: object = {}) {
  const claims = JSON.parse(
    Buffer.from(gate.issuer.access().split('.')[1] ?? '', 'base64url').toString(),
  )
  return signToken({ kid, alg: 'RS256' }, { ...claims, ...changes }, privateKey)
}

t.test('without keys at start: not ready, public routes answer, others are 503', async (t) => {
  const gate = await start(t, { keys: dead })
  t.equal(await readyz(gate), 503)
  t.equal((await fetch(`${gate.adminOrigin}/livez`)).status, 200)
  t.equal((await fetch(`${gate.origin}/public/x`)).status, 200)
  const before = gate.upstream.received.length
  for (let i = 0; i < 3; i++) {
    const answer = await call(gate, gate.issuer.access())
    t.match(answer, { status: 503, reason: 'keys_unavailable', retryAfter: Number })
    t.ok(Number(answer.retryAfter) >= 1 && Number(answer.retryAfter) <= 30)
  }
  t.equal(gate.upstream.received.length, before, 'nothing was forwarded')
  t.equal((await fetch(`${gate.origin}/api/x`)).status, 401, 'no token is still no token')
  gate.jwks.serve(gate.issuer.jwks())
  const returned = performance.now()
  await eventually('the first good answer', async () => {
    return (await call(gate, gate.issuer.access())).status === 200
  })
  t.ok(performance.now() - returned < 3_000, 'within seconds of its return')
  t.equal(await readyz(gate), 200)
  t.ok(gate.jwks.count() <= 5, `${gate.jwks.count()} attempts`)
})

t.test('a seed file stands in for an endpoint that is down at start', async (t) => {
  const first = await startReady(t)
  const file = join(t.testdir({ 'jwks.json': JSON.stringify(first.issuer.jwks()) }), 'jwks.json')
  const gate = await start(t, { keys: dead, pool: `    jwksFile: ${file}` })
  await eventually('readiness', async () => (await readyz(gate)) === 200)
  t.match(await call(gate, first.issuer.access()), { status: 200 })
  t.match(await call(gate, gate.issuer.access()), { status: 503, reason: 'keys_unavailable' })
})

t.test('with keys in memory an endpoint that fails is nobody’s problem', async (t) => {
  const gate = await startReady(t, { pool: '    jwksRefresh: 1s' })
  const counted = gate.jwks.count()
  gate.jwks.serve(broken)
  let failed = 0
  let asked = 0
  await eventually('three attempts that failed', async () => {
    asked++
    // New tokens each time, so that every one is verified.
    if ((await call(gate, gate.issuer.access())).status !== 200) failed++
    gate.jwks.serve(gate.jwks.count() % 2 === 0 ? broken : dead)
    return gate.jwks.count() >= counted + 3
  })
  t.equal(failed, 0, `of ${asked}`)
  t.ok(asked > 50)
  t.equal(await readyz(gate), 200)
  const text = await (await fetch(`${gate.adminOrigin}/metrics`)).text()
  t.match(text, /poolgate_keyset_fetches_total\{user_pool="main",result="fail\w*"\} [1-9]/)
  t.equal(gate.logged.filter((line) => line.includes('keys cannot be fetched')).length, 1)
})

t.test('5,000 tokens with unknown kids cost one fetch, and others go on', async (t) => {
  const gate = await startReady(t)
  const known = gate.issuer.access()
  const parts = signWith(createKey(), gate).split('.')
  const request = () => {
    const kid = crypto.randomUUID()
    const header = Buffer.from(JSON.stringify({ kid, alg: 'RS256' })).toString('base64url')
    const token = [header, ...parts.slice(1)].join('.')
    return `GET /api/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`
  }
  let answers = 0
  const flood = Array.from({ length: 20 }, async () => {
    const requests = Array.from({ length: 250 }, request).join('')
    const isAll = (text: string) => text.split('"token_key_unknown"').length > 250
    const { statuses } = await sendRaw(gate.origin, requests, { until: isAll, quietMs: 8_000 })
    answers += statuses.filter((status) => status === 401).length
  })
  t.match(await call(gate, known), { status: 200 })
  await Promise.all(flood)
  t.equal(answers, 5_000)
  t.equal(gate.jwks.count(), 2, 'the first fetch and a forced one')
})

t.test('an endpoint that hangs holds up unknown keys alone, and not for long', async (t) => {
  const gate = await startReady(t)
  const known = gate.issuer.access()
  gate.jwks.serve(() => undefined)
  const started = performance.now()
  const stranger = createKey()
  const unknown = Array.from({ length: 50 }, () => call(gate, signWith(stranger, gate)))
  await eventually('the forced fetch', () => gate.jwks.count() === 2)
  let slowest = 0
  for (let i = 0; i < 100; i++) {
    const before = performance.now()
    t.equal((await call(gate, known)).status, 200)
    slowest = Math.max(slowest, performance.now() - before)
  }
  t.ok(slowest < 1_000, `${slowest} ms at most`)
  for (const { status, reason } of await Promise.all(unknown))
    t.same([status, reason], [503, 'keys_unavailable'])
  t.ok(performance.now() - started < 5_000)
  t.equal(gate.jwks.count(), 2, 'one fetch for all of them')
})

t.test('a token by a key that has just appeared is accepted at once', async (t) => {
  const gate = await startReady(t)
  const fresh = createKey()
  gate.jwks.serve({ keys: [...gate.issuer.jwks().keys, fresh.jwk] })
  t.match(await call(gate, signWith(fresh, gate)), { status: 200 })
  t.equal(gate.jwks.count(), 2)
  t.match(await call(gate, gate.issuer.access()), { status: 200 }, 'and the earlier key still is')
})

t.test('a key that left the set is refused after a refresh, cached token or not', async (t) => {
  const gate = await startReady(t, { pool: '    jwksRefresh: 1s' })
  const token = gate.issuer.access()
  t.match(await call(gate, token), { status: 200 })
  t.match(await call(gate, token), { status: 200 }, 'from the cache')
  gate.jwks.serve({ keys: [gate.issuer.idKey.jwk] })
  await eventually('the refusal', async () => (await call(gate, token)).status === 401, 4_000)
  t.match(await call(gate, token), { status: 401, reason: 'token_key_unknown' })
  t.equal(await scrape(gate.adminOrigin, 'poolgate_keyset_keys{user_pool="main"}'), 1)
})

t.test('documents that are no key set change nothing', async (t) => {
  const gate = await startReady(t, { pool: '    jwksRefresh: 1s' })
  const documents = [
    {},
    { keys: [] },
    { keys: null },
    (_: IncomingMessage, response: ServerResponse) => response.end('<html>'),
    (_: IncomingMessage, response: ServerResponse) => response.end('x'.repeat(70_000)),
    (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(302, { location: gate.jwks.url }).end(),
  ]
  const counted = gate.jwks.count()
  gate.jwks.serve((request, response) => {
    const next = documents[gate.jwks.count() % documents.length]
    if (typeof next === 'function') next(request, response)
    else response.end(JSON.stringify(next))
  })
  await eventually('three refreshes', async () => {
    t.match(await call(gate, gate.issuer.access()), { status: 200 })
    return gate.jwks.count() >= counted + 3
  })
})

t.test('no token says where keys come from', async (t) => {
  const gate = await startReady(t)
  const stranger = createIssuer()
  const elsewhere = await startJwksServer(stranger.jwks())
  t.teardown(elsewhere.close)
  const { url } = elsewhere
  const origin = new URL(url).origin
  for (const header of [{}, { jku: url }, { x5u: url }, { jwk: stranger.accessKey.jwk }]) {
    const { status } = await call(gate, stranger.access({ iss: origin }, header))
    t.equal(status, 401)
  }
  t.equal(elsewhere.count(), 0)
})
