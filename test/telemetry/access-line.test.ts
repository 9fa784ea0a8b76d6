// One line, one object, whatever a client wrote into it.
import t from 'tap'
import { toAccessLine } from '../../src/telemetry/access-line.ts'
import type { ExchangeRecord } from '../../src/telemetry/exchange-record.ts'
import { createExchangeRecord } from '../support/exchange-record.ts'

const parse = (changes: Partial<ExchangeRecord>) =>
  JSON.parse(toAccessLine(createExchangeRecord(changes))) as Record<string, unknown>

t.test('a line holds everything there is to tell, under stable names', async (t) => {
  t.same(parse({ reason: 'group_missing', detail: 'no group of admins', decision: 'deny' }), {
    time: '2026-11-23T12:00:00.007Z',
    level: 'info',
    message: 'request',
    request_id: '0f1e2d3c',
    client: '192.0.2.7',
    method: 'GET',
    host: 'api.example.com',
    path: '/admin/users',
    status: 200,
    route: 'admin',
    decision: 'deny',
    reason: 'group_missing',
    detail: 'no group of admins',
    user_pool: 'main',
    client_id: '4exampleclient0000000000001',
    subject: 'f3a1c2d4',
    upstream: 'orders',
    outcome: 'complete',
    duration_ms: 3.25,
    overhead_ms: 0.125,
    upstream_ms: 2.5,
    request_bytes: 10,
    response_bytes: 2000,
  })
})

t.test('where there are several targets it names the one that was asked last', async (t) => {
  t.match(parse({ target: 'http://10.0.1.10:8080', attempts: 2 }), {
    target: 'http://10.0.1.10:8080',
    attempts: 2,
  })
  t.notOk('attempts' in parse({ target: 'http://10.0.1.10:8080', attempts: 1 }))
})

t.test('what does not apply is left out', async (t) => {
  const none = { route: '', reason: '', detail: '', subject: '', userPool: '', clientId: '' }
  const line = parse({ ...none, upstream: '', upstreamMs: -1, routeIndex: -1, decision: 'none' })
  const names = ['route', 'reason', 'detail', 'subject', 'user_pool', 'client_id', 'upstream']
  for (const name of [...names, 'upstream_ms']) t.notOk(name in line, name)
  t.equal(line.decision, 'none')
})

t.test('times are given to the microsecond, and 0 is a time', async (t) => {
  t.match(parse({ durationMs: 1.23456789, overheadMs: 1 / 3, upstreamMs: 0 }), {
    duration_ms: 1.235,
    overhead_ms: 0.333,
    upstream_ms: 0,
  })
})

const HOSTILE = {
  'a line feed': 'a\nb',
  'CR LF and a forged line': 'a\r\n{"status":200}',
  'an ANSI escape': '\u001b[2J\u001b[31m',
  'a C1 control': 'a\u009b31m',
  'NUL and DEL': '\u0000\u007f',
  'a quote': 'a","status":500,"x":"',
  'a backslash at the end': 'a\\',
  'backslashes before a quote': '\\\\"',
  'U+2028 and U+2029': 'a\u2028b\u2029c',
  'a right-to-left override': 'a\u202etxt.exe',
  'accents and emoji': 'Zoë 🦦',
  markup: '<script>&amp;</script>',
  'a lone tab': '\t',
}

t.test('hostile text comes out as it went in, in printable ASCII on one line', async (t) => {
  const names = ['id', 'clientAddress', 'method', 'host', 'path', 'detail', 'subject'] as const
  const others = ['clientId', 'userPool', 'route', 'reason', 'upstream'] as const
  for (const [what, text] of Object.entries(HOSTILE)) {
    for (const name of [...names, ...others]) {
      const line = toAccessLine(createExchangeRecord({ [name]: text }))
      t.match(line, /^[\x20-\x7e]+\n$/, `${what} in ${name}`)
      const read = JSON.parse(line) as Record<string, unknown>
      t.ok(Object.values(read).includes(text), `${what} in ${name} comes back`)
      t.equal(read.status, 200)
    }
  }
})

t.test('half a surrogate pair becomes U+FFFD, since strict readers refuse it', async (t) => {
  t.equal(parse({ path: '/a\ud83dz' }).path, '/a\ufffdz')
  t.equal(parse({ path: '/a\udd26' }).path, '/a\ufffd')
  t.equal(parse({ path: '/\ud83e\udda6' }).path, '/🦦')
})

t.test('a query or a fragment never shows, even where the target was malformed', async (t) => {
  for (const path of [
    '/callback?code=s3cret',
    '/a#access_token=s3cret',
    '?s3cret',
    '/a\n?s3cret',
  ]) {
    const line = toAccessLine(createExchangeRecord({ path }))
    t.notMatch(line, 's3cret', path)
  }
  t.equal(parse({ path: '/callback?code=1#x' }).path, '/callback')
})

t.test('a field of 1024 characters is whole and a longer one is cut', async (t) => {
  t.equal(parse({ host: 'h'.repeat(1024) }).host, 'h'.repeat(1024))
  const cut = parse({ host: 'h'.repeat(1025) }).host as string
  t.match(cut, /^h+…$/)
  t.ok(cut.length > 1000 && cut.length < 1024, `${cut.length}`)
})

t.test('the bound holds for the escaped form, and never cuts an escape in two', async (t) => {
  for (const unit of ['\n', 'é', '🦦', 'ab"', '\\', 'x🦦']) {
    const line = toAccessLine(createExchangeRecord({ path: `/${unit.repeat(5000)}` }))
    const written = /"path":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? ''
    t.ok(written.length > 1000 && written.length <= 1024, `${unit}: ${written.length}`)
    const path = (JSON.parse(line) as { path: string }).path
    t.ok(path.endsWith('…') && path.isWellFormed(), unit)
  }
})

t.test('a megabyte in every field still makes a short line', async (t) => {
  const huge = '"'.repeat(1_000_000)
  const client = { host: huge, path: huge, method: huge, subject: huge, detail: huge, id: huge }
  t.ok(toAccessLine(createExchangeRecord(client)).length < 8 * 1024)
})
