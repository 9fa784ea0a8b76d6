// The request that is asked about is read as strictly as one that is forwarded (catalogue rows F-02 to F-05, F-10).
import t from 'tap'
import {
  checkAsker,
  forwardedElsewhere,
  toOriginalFacts,
} from '../../src/external-auth/original-facts.ts'
import { compileTrustedProxies } from '../../src/http/client-address.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'

const limits = { headerFields: 128, target: 100 }
const asked = {
  method: 'GET',
  headers: ['accept', '*/*'],
  secure: false,
} as unknown as RequestFacts
const GOOD = { method: 'POST', scheme: 'https', authority: 'API.example.:8443', target: '/a%20b?c' }
const read = (changes: Partial<typeof GOOD> = {}) =>
  toOriginalFacts(asked, { ...GOOD, ...changes }, limits)

t.test('what an ingress names becomes facts, in the spelling that the proxy has', async (t) => {
  t.match(read(), {
    method: 'POST',
    host: { name: 'api.example', port: '8443', authority: 'api.example:8443' },
    target: { path: '/a%20b', query: '?c', decodedPath: '/a b' },
    secure: true,
    forwardedElsewhere: true,
  })
  t.match(read({ scheme: 'http' }), { secure: false })
  t.match(read({ scheme: 'wss' }), { secure: true })
  t.match(read({ target: 'https://api.example:8443/x' }), { target: { path: '/x' } })
})

t.test('F-02, F-03, F-04: what could be read in two ways, or is missing, denies', async (t) => {
  const bad: [Partial<typeof GOOD>, string][] = [
    [{ target: '/public/../admin' }, 'target_ambiguous'],
    [{ target: '/public/%2e%2e/admin' }, 'target_ambiguous'],
    [{ target: '//admin' }, 'target_ambiguous'],
    [{ target: '/a%2fb' }, 'target_ambiguous'],
    [{ target: '/a#b' }, 'target_ambiguous'],
    [{ target: '/a b' }, 'target_ambiguous'],
    [{ target: 'https://other.example/x' }, 'target_ambiguous'],
    [{ target: '' }, 'request_malformed'],
    [{ target: 'admin' }, 'request_malformed'],
    [{ target: `/${'a'.repeat(100)}` }, 'target_too_long'],
    [{ method: 'get' }, 'request_malformed'],
    [{ method: '' }, 'request_malformed'],
    [{ method: 'GET, POST' }, 'request_malformed'],
    [{ method: 'CONNECT' }, 'method_not_allowed'],
    [{ method: 'TRACE' }, 'method_not_allowed'],
    [{ scheme: '' }, 'request_malformed'],
    [{ scheme: 'https, http' }, 'request_malformed'],
    [{ scheme: 'ftp' }, 'request_malformed'],
    [{ authority: '' }, 'request_malformed'],
    [{ authority: 'a, b' }, 'request_malformed'],
    [{ authority: 'user@api.example' }, 'request_malformed'],
    [{ authority: 'api..example' }, 'request_malformed'],
  ]
  for (const [changes, reason] of bad)
    t.match(read(changes), { refused: true, reason }, JSON.stringify(changes))
  t.match(read({ target: `/${'a'.repeat(99)}` }), { method: 'POST' }, 'the longest that is taken')
})

t.test('any sign of an upgrade counts as one', async (t) => {
  const upgradeOf = (headers: string[]) => forwardedElsewhere({ ...asked, headers }).upgrade
  t.equal(upgradeOf(['Sec-WebSocket-Key', 'x']), 'websocket')
  t.equal(upgradeOf(['Upgrade', 'WebSocket']), 'websocket')
  t.equal(upgradeOf(['accept', '*/*']), undefined)
})

t.test('F-01: who is not trusted is told nothing, and the log what to add', async (t) => {
  const isTrusted = compileTrustedProxies(['10.0.0.0/8'])
  t.equal(checkAsker('10.0.0.1', isTrusted), undefined)
  t.match(checkAsker('192.0.2.1', isTrusted), {
    reason: 'decision_untrusted_peer',
    detail: /add 192\.0\.2\.1\/32$/,
  })
  t.match(checkAsker('2001:db8::1', isTrusted), { detail: /add 2001:db8::1\/128$/ })
  t.match(checkAsker('', isTrusted), { detail: /unix socket .*add unix$/ })
  t.equal(checkAsker('', compileTrustedProxies(['unix'], true)), undefined)
})
