// Another configuration comes into force between two requests: none fails, none is judged by a mixture, nothing old lingers.
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { scrape } from '../support/scrape.ts'
import { type ConfigParts, type RunningGateway, startGateway } from '../support/start-gateway.ts'

async function start(t: Test, parts: ConfigParts = {}): Promise<RunningGateway> {
  const gate = await startGateway(parts)
  t.teardown(gate.stop)
  await eventually('readiness', async () => (await fetch(`${gate.adminOrigin}/readyz`)).ok)
  return gate
}

function reload(gate: RunningGateway, changes: ConfigParts, edit = (text: string) => text): void {
  gate.gateway.reload(loadConfig(edit(gate.config(changes)), 'test.yaml', {}))
}

async function call(gate: RunningGateway, token: string, path = '/api/x') {
  const answer = await fetch(gate.origin + path, { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

t.test('no request fails or is judged by a mixture while configurations come and go', async (t) => {
  const gate = await start(t)
  const variant = (i: number) => ({ more: `identityHeaders: {x-one-${i}: sub, x-two-${i}: sub}` })
  reload(gate, variant(0))
  const token = gate.issuer.access()
  let failed = 0
  let mixed = 0
  let asked = 0
  const seen = new Set<string>()
  let done = false
  const clients = Array.from({ length: 8 }, async () => {
    while (!done) {
      asked++
      const { status, body } = await call(gate, token)
      if (status !== 200) failed++
      const names = Object.keys((body.headers ?? {}) as object).join(' ')
      const one = /x-one-(\d+)/.exec(names)?.[1]
      if (one === undefined || one !== /x-two-(\d+)/.exec(names)?.[1]) mixed++
      else seen.add(one)
    }
  })
  for (let i = 1; i <= 50; i++) {
    reload(gate, variant(i))
    const before = asked
    await eventually('some requests', () => asked >= before + 10)
  }
  done = true
  await Promise.all(clients)
  t.same({ failed, mixed }, { failed: 0, mixed: 0 }, `of ${asked}, by ${seen.size} configurations`)
  t.ok(seen.size > 20)
  t.equal(gate.jwks.count(), 1, 'keys are carried over')
})

t.test(
  'a client id that is removed is refused at once, although its token was cached',
  async (t) => {
    const gate = await start(t)
    const token = gate.issuer.access()
    t.match(await call(gate, token), { status: 200 })
    t.match(await call(gate, token), { status: 200 })
    reload(gate, {}, (text) => text.replace(gate.issuer.clientId, 'another'))
    t.match(await call(gate, token), { status: 401, body: { reason: 'token_client' } })
    reload(gate, {})
    t.match(await call(gate, token), { status: 200 }, 'and accepted again once it is back')
  },
)

t.test('a route that asks for more asks at once', async (t) => {
  const gate = await start(t)
  const token = gate.issuer.access()
  t.match(await call(gate, token), { status: 200 })
  reload(gate, {
    routes: `
  - {name: api, match: {path: /api/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: fresh, match: {path: /fresh/*}, access: public, upstream: up}`,
  })
  t.match(await call(gate, token), { status: 403, body: { reason: 'group_missing' } })
  t.match(await call(gate, token, '/public/x'), { status: 404 })
  t.match(await call(gate, token, '/fresh/x'), { status: 200 })
  t.match(gate.accessLines().at(-1), { route: 'fresh', status: 200 })
  const text = await (await fetch(`${gate.adminOrigin}/metrics`)).text()
  t.match(text, /poolgate_requests_total\{[^}]*route="fresh"[^}]*\} 1/, 'it is counted by name')
})

t.test(
  'a request that is under way ends where it began, at an upstream that is gone',
  async (t) => {
    const upstream = await startRawUpstream()
    t.teardown(upstream.close)
    const gate = await start(t, {
      upstreamOrigin: upstream.origin,
      more: 'timeouts: {drain: 100ms}',
    })
    let finish: (() => void) | undefined
    upstream.answer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
      finish = () => socket.write('world')
    })
    const connection = await connectRaw(gate.origin)
    connection.send('GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n')
    await connection.until(/hello$/)
    reload(gate, { upstreamOrigin: gate.upstream.origin })
    t.match(await call(gate, 'x', '/public/x'), { status: 200 })
    t.equal(upstream.requests(), 1, 'new requests go elsewhere')
    await new Promise((resolve) => setTimeout(resolve, 250))
    finish?.()
    await connection.until(/helloworld$/)
    connection.socket.destroy()
    await eventually('the connections to it to end', () => upstream.open() === 0)
    t.equal(await scrape(gate.adminOrigin, 'poolgate_active_requests'), 0)
  },
)

t.test('a pool with another key endpoint begins anew, the old one is left alone', async (t) => {
  const gate = await start(t, { pool: '    jwksRefresh: 1s' })
  const other = await start(t)
  const use = (text: string) => text.replace(gate.jwks.url, other.jwks.url)
  reload(gate, {}, use)
  await eventually('the other keys', async () => {
    return (await call(gate, other.issuer.access())).status === 200
  })
  t.match(await call(gate, gate.issuer.access()), { status: 401 })
  const counted = gate.jwks.count()
  const fetched = other.jwks.count()
  await eventually('a refresh', () => other.jwks.count() > fetched)
  t.equal(gate.jwks.count(), counted)
})
