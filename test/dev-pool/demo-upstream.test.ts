// The demo upstream: it shows what arrived, to curl and to a browser, and gives no credential away.
import { request } from 'node:http'
import t from 'tap'
import { startDemoUpstream } from '../../src/dev-pool/demo-upstream.ts'

const upstream = await startDemoUpstream()
t.teardown(upstream.stop)

interface Shown {
  readonly method: string
  readonly target: string
  readonly identity: Record<string, string | string[]>
  readonly headers: string[]
  readonly body: { bytes: number; text: string }
}

async function ask(path = '/', init: RequestInit = {}): Promise<Shown> {
  return (await (await fetch(upstream.origin + path, init)).json()) as Shown
}

t.test('method, target and headers are shown as they came', async (t) => {
  const shown = await ask('/a%2Fb?x=%20', { method: 'DELETE', headers: { 'X-Any': 'a, b' } })
  t.match(shown, { method: 'DELETE', target: '/a%2Fb?x=%20', body: { bytes: 0, text: '' } })
  t.ok(shown.headers.some((line) => line.toLowerCase() === 'x-any: a, b'))
})

t.test('identity headers are decoded beside the raw ones', async (t) => {
  const headers = {
    'x-auth-username': 'Ren%C3%A9e',
    'x-auth-groups': 'a%2Cb,c',
    'x-auth-email': '100%',
    'x-authority': 'no',
  }
  const shown = await ask('/', { headers })
  t.strictSame(shown.identity, {
    'x-auth-username': 'Renée',
    'x-auth-groups': ['a,b', 'c'],
    'x-auth-email': '100%',
  })
  t.ok(shown.headers.includes('x-auth-username: Ren%C3%A9e'))
})

t.test('no credential is shown, of a token its beginning alone', async (t) => {
  const authorizationOf = async (authorization: string) =>
    (await ask('/', { headers: { authorization } })).headers.find((line) =>
      /^authorization/i.test(line),
    )
  const token = `${'h'.repeat(40)}.${'p'.repeat(40)}.${'s'.repeat(40)}`
  t.equal(await authorizationOf(`Bearer ${token}`), 'authorization: Bearer hhhhhhhhhhhh…')
  t.equal(await authorizationOf('Bearer opaque-secret'), 'authorization: Bearer …')
  t.equal(await authorizationOf('Basic c2VjcmV0'), 'authorization: Basic …')
  t.equal(await authorizationOf('a.b.secret'), 'authorization: …')
})

t.test('of a body the size and the first KiB are shown', async (t) => {
  const bodyOf = async (body: string) => (await ask('/', { method: 'POST', body })).body
  t.strictSame(await bodyOf('x'.repeat(1024)), { bytes: 1024, text: 'x'.repeat(1024) })
  t.strictSame(await bodyOf('x'.repeat(1025)), { bytes: 1025, text: 'x'.repeat(1024) })
  const { bytes, text } = await bodyOf(`${'x'.repeat(1023)}é`)
  t.equal(bytes, 1025)
  t.equal(text, 'x'.repeat(1023), 'no half character')
  t.equal((await bodyOf('y'.repeat(500_000))).bytes, 500_000)
})

t.test('a browser gets a page, anybody else JSON', async (t) => {
  const typeOf = async (accept: string) =>
    (await fetch(upstream.origin, { headers: { accept } })).headers.get('content-type')
  t.equal(await typeOf('text/html,application/xhtml+xml,*/*;q=0.8'), 'text/html; charset=utf-8')
  t.equal(await typeOf('*/*'), 'application/json; charset=utf-8')
  t.equal(await typeOf('application/json'), 'application/json; charset=utf-8')
})

t.test('nothing can run on the page', async (t) => {
  const { headers } = await fetch(upstream.origin, { headers: { accept: 'text/html' } })
  const policy = headers.get('content-security-policy') ?? ''
  t.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; /)
  t.notMatch(policy, /unsafe|script-src/)
  t.equal(headers.get('x-content-type-options'), 'nosniff')
})

t.test('HEAD has no body', async (t) => {
  const answer = await fetch(upstream.origin, { method: 'HEAD' })
  t.equal(answer.status, 200)
  t.equal(await answer.text(), '')
})

t.test('a client that breaks off does no harm', async (t) => {
  await new Promise<void>((resolve) => {
    const sent = request(upstream.origin, { method: 'POST', headers: { 'content-length': '10' } })
    sent.on('error', () => resolve())
    sent.write('abc', () => sent.destroy(new Error('broken off')))
  })
  t.equal((await ask('/after')).target, '/after')
})
