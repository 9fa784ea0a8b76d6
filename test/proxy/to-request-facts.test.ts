// A received request is read in one way or refused with a reason.
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { toRequestFacts } from '../../src/proxy/to-request-facts.ts'

const LIMITS = { headerFields: 10, target: 100 }

interface Given {
  readonly method?: string
  readonly url?: string
  readonly headers?: readonly string[]
  readonly peer?: string | undefined
  readonly encrypted?: boolean
  readonly trusted?: boolean
}

function read(given: Given = {}) {
  const { method = 'GET', url = '/x', headers = ['Host', 'A:80'], trusted = false } = given
  const socket = {
    remoteAddress: 'peer' in given ? given.peer : '192.0.2.1',
    encrypted: given.encrypted,
  }
  const request = { method, url, rawHeaders: headers, httpVersion: '1.1', socket }
  return toRequestFacts(request as unknown as IncomingMessage, LIMITS, () => trusted)
}

const host = ['Host', 'a']

t.test('a plain request is read as it stands', async (t) => {
  t.match(read({ url: '/a%20b?c=d', headers: ['Host', 'A:80', 'Authorization', 'Bearer x'] }), {
    method: 'GET',
    host: { name: 'a', authority: 'a:80' },
    target: { path: '/a%20b', query: '?c=d', decodedPath: '/a b' },
    authorization: 'Bearer x',
    peerAddress: '192.0.2.1',
    clientAddress: '192.0.2.1',
    secure: false,
    hasBody: false,
    contentLength: undefined,
  })
  t.match(read({ encrypted: true }), { secure: true })
  t.match(read({ peer: undefined }), { peerAddress: '', clientAddress: '' })
})

t.test('a body is announced by its length or by chunks', async (t) => {
  const framed = (...fields: string[]) => read({ method: 'POST', headers: [...host, ...fields] })
  t.match(framed('Content-Length', '5'), { hasBody: true, contentLength: 5 })
  t.match(framed('Content-Length', '0'), { hasBody: false, contentLength: 0 })
  t.match(framed('Transfer-Encoding', 'chunked'), { hasBody: true, contentLength: undefined })
})

t.test('each bound holds from both sides', async (t) => {
  const fields = (count: number) => [...host, ...Array.from({ length: (count - 1) * 2 }, () => 'x')]
  t.notMatch(read({ headers: fields(10) }), { refused: true })
  t.match(read({ headers: fields(11) }), { refused: true, reason: 'headers_too_large' })
  t.notMatch(read({ url: `/${'x'.repeat(99)}` }), { refused: true })
  t.match(read({ url: `/${'x'.repeat(100)}` }), { refused: true, reason: 'target_too_long' })
})

t.test('what can be read in two ways is refused', async (t) => {
  const cases: [Given, string][] = [
    [{ method: 'TRACE' }, 'method_not_allowed'],
    [{ method: 'CONNECT' }, 'method_not_allowed'],
    [{ headers: [...host, 'Authorization', 'a', 'authorization', 'b'] }, 'credential_ambiguous'],
    [{ headers: [...host, 'host', 'a'] }, 'request_malformed'],
    [{ headers: [] }, 'request_malformed'],
    [{ headers: ['Host', 'a/b'] }, 'request_malformed'],
    [{ url: '/a/../b' }, 'target_ambiguous'],
    [{ url: 'http://other/' }, 'target_ambiguous'],
    [{ headers: [...host, 'Content-Length', '1', 'content-length', '1'] }, 'request_malformed'],
    [{ headers: [...host, 'Upgrade', 'x', 'Content-Length', '1'] }, 'request_malformed'],
  ]
  for (const [given, reason] of cases) t.match(read(given), { refused: true, reason })
})

t.test('OPTIONS * is about the gateway only where all else is in order', async (t) => {
  const ask = (headers: readonly string[], method = 'OPTIONS') =>
    read({ method, url: '*', headers })
  t.match(ask(host), { refused: true, serverWide: true })
  t.notMatch(ask(host, 'GET'), { serverWide: true })
  for (const headers of [
    [],
    [...host, 'host', 'b'],
    ['Host', 'a/b'],
    [...host, 'Content_Length', '5'],
    [...host, 'Content-Type', 'a', 'Content-Type', 'b'],
  ]) {
    const refused = ask(headers)
    t.match(refused, { refused: true, reason: 'request_malformed' })
    t.notMatch(refused, { serverWide: true }, headers.join())
  }
})

t.test('only a trusted peer says whose request it is', async (t) => {
  const headers = [...host, 'X-Forwarded-For', '203.0.113.9']
  t.match(read({ headers }), { clientAddress: '192.0.2.1', peerTrusted: false })
  t.match(read({ headers, trusted: true }), { clientAddress: '203.0.113.9', peerTrusted: true })
})
