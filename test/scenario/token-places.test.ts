// Tokens in a cookie or in the query, through a whole gateway: read where the route says, and not handed on where they must not be.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startGateway } from '../support/start-gateway.ts'

const gate = await startGateway({
  routes: `
  - {name: app, match: {path: /app/*}, access: {groups: {anyOf: [staff]}}, upstream: up, credentials: {cookie: token, query: token}, forwardToken: false}
  - {name: kept, match: {path: /kept/*}, access: authenticated, upstream: up, credentials: {cookie: token}}
  - {name: plain, match: {path: /plain/*}, access: public, upstream: up}
  - {name: events, match: {path: /events}, access: authenticated, upstream: up, credentials: {cookie: token}}
  - {name: endless, match: {path: /endless}, access: authenticated, upstream: up, atExpiry: allow}
`,
})
t.teardown(() => gate.stop())
const token = gate.issuer.access({ 'cognito:groups': ['staff'] })

async function ask(path: string, fields: readonly string[] = [], method = 'GET') {
  gate.upstream.received.length = 0
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: app.test', 'Connection: close', ...fields]
  const { text, statuses } = await sendRaw(gate.origin, `${lines.join('\r\n')}\r\n\r\n`)
  const reason = /"reason":"(\w+)"/.exec(text)?.[1]
  return { status: statuses[0], reason, seen: gate.upstream.received[0] }
}

t.test('a cookie is enough, and is kept back with forwardToken: false alone', async (t) => {
  const cookie = `Cookie: theme=dark; token=${token}; b=2`
  const app = await ask('/app/x', [cookie])
  t.equal(app.status, 200)
  t.equal(app.seen?.headers.cookie, 'theme=dark; b=2')
  t.match(app.seen?.headers, { 'x-auth-groups': 'staff' })
  const kept = await ask('/kept/x', [cookie])
  t.equal(kept.seen?.headers.cookie, `theme=dark; token=${token}; b=2`)
  t.match(await ask('/app/x', [`Cookie: token=${gate.issuer.access()}`]), {
    status: 403,
    reason: 'group_missing',
  })
})

t.test('a token in the query is neither forwarded nor logged', async (t) => {
  const { status, seen } = await ask(`/app/x?a=%20&token=${token}&b`)
  t.equal(status, 200)
  t.equal(seen?.url, '/app/x?a=%20&b')
  await ask(`/app/x?token=${token}&token=1`)
  await eventually('both lines', () => gate.accessLines().length >= 2)
  t.notMatch(gate.logged.join(''), new RegExp(token.slice(-20)))
})

t.test('a parameter of that name is like any other where the route does not take it', async (t) => {
  const { status, seen } = await ask('/plain/x?token=abc&token=def')
  t.equal(status, 200)
  t.equal(seen?.url, '/plain/x?token=abc&token=def')
  t.match(await ask(`/kept/x?token=${token}`), { status: 401, reason: 'credential_missing' })
})

t.test('two tokens are ambiguous, and nothing is forwarded', async (t) => {
  const bearer = `Authorization: Bearer ${token}`
  const cookie = `Cookie: token=${token}`
  for (const [path, fields] of [
    [`/app/x?token=${token}`, [bearer]],
    [`/app/x?token=${token}&token=${token}`, []],
    ['/app/x', [`Cookie: token=${token}; token=${token}`]],
  ] as const) {
    t.match(await ask(path, fields), { status: 400, reason: 'credential_ambiguous' })
    t.equal(gate.upstream.received.length, 0)
  }
  t.match(await ask('/app/x', [bearer, cookie]), { status: 200 }, 'a cookie comes along by itself')
})

t.test('a page of another host does nothing with a cookie', async (t) => {
  const cookie = `Cookie: token=${token}`
  const post = (...fields: string[]) =>
    ask('/app/x', [cookie, 'Content-Length: 0', ...fields], 'POST')
  t.match(await post(), { status: 403, reason: 'origin_denied', seen: undefined })
  t.match(await post('Origin: https://evil.test'), { status: 403, reason: 'origin_denied' })
  t.match(await post('Origin: http://app.test'), { status: 200 })
  t.match(await post('Sec-Fetch-Site: same-origin'), { status: 200 })
  t.match(await ask('/app/x', [`Authorization: Bearer ${token}`], 'POST'), { status: 200 })
})

/** A token that is good for so long. */
const shortLived = (ms: number) => {
  const exp = Math.ceil((Date.now() + ms) / 1000)
  return { token: gate.issuer.access({ exp }), expMs: exp * 1000 }
}

/** Reads until the end, and says what it was like. */
async function readEvents(
  path: string,
  fields: Record<string, string>,
  heard: () => void = () => undefined,
) {
  const response = await fetch(`${gate.origin}${path}`, { headers: fields })
  const events: string[] = []
  let end = 'whole'
  try {
    for await (const chunk of response.body ?? []) {
      events.push(Buffer.from(chunk).toString())
      heard()
    }
  } catch {
    end = 'broken'
  }
  return { status: response.status, events, end }
}

t.test('events come one by one, and the stream ends with its token', async (t) => {
  const isSeen = Promise.withResolvers<void>()
  const isAborted = Promise.withResolvers<void>()
  gate.upstream.handle((_, response) => {
    response.on('close', () => isAborted.resolve())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    void isSeen.promise.then(() => response.write('data: 2\n\n'))
  })
  const { token, expMs } = shortLived(300)
  // The second event is sent once the first has come.
  const { events, end } = await readEvents('/events', { cookie: `token=${token}` }, isSeen.resolve)
  t.equal(end, 'whole')
  t.same(events, ['data: 1\n\n', 'data: 2\n\n'])
  t.ok(Date.now() >= expMs, 'not before')
  t.ok(Date.now() < expMs + 1_000, 'soon after')
  await isAborted.promise
  const line = await eventually('its line', () =>
    gate.accessLines().find(({ route }) => route === 'events'),
  )
  t.match(line, { outcome: 'token_expired', status: 200 })
  gate.upstream.handle(undefined)
})

t.test('a route may let a stream go on, and a download always does', async (t) => {
  const { token, expMs } = shortLived(100)
  gate.upstream.handle((request, response) => {
    const type = request.url === '/endless' ? 'text/event-stream' : 'text/plain'
    response.writeHead(200, { 'content-type': type })
    response.write('one ')
    setTimeout(() => response.end('two'), Math.max(0, expMs - Date.now()) + 200)
  })
  const headers = { authorization: `Bearer ${token}` }
  const [endless, download] = await Promise.all([
    readEvents('/endless', headers),
    readEvents('/kept/x', headers),
  ])
  t.match(endless, { end: 'whole' })
  t.equal(endless.events.join(''), 'one two')
  t.equal(download.events.join(''), 'one two')
  gate.upstream.handle(undefined)
})
