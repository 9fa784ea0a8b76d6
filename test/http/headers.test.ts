// Field names, ownership, hop-by-hop and framing (catalogue rows H-01, H-05, H-06, H-09, H-12, H-13, S-01, S-03 to S-05).
import t from 'tap'
import {
  checkFraming,
  compileOwnedHeaders,
  connectionNamed,
  isHopByHop,
  listValue,
  normaliseFieldName,
  singleValue,
  trimBlanks,
} from '../../src/http/headers.ts'
import { fc } from '../support/fuzz.ts'

t.test('H-01: names are told apart as the loosest upstream does', async (t) => {
  for (const name of [
    'X-Auth-Subject',
    'x_auth_subject',
    'X.Auth.Subject',
    'x~auth~subject',
    'X-AUTH_subject',
  ]) {
    t.equal(normaliseFieldName(name), 'x-auth-subject', name)
  }
})

t.test('H-01, H-12: identity headers, x-auth-* and x-amzn-oidc-* are ours alone', async (t) => {
  const owned = compileOwnedHeaders(['x-user', 'X.Team'])
  for (const name of [
    'X-User',
    'x_user',
    'x-team',
    'X_Auth_Anything',
    'x-auth-',
    'X-Amzn-Oidc-Data',
    'x.amzn.oidc.identity',
  ]) {
    t.equal(owned(normaliseFieldName(name)), 'always', name)
  }
  for (const name of [
    'X-Users',
    'x-authority',
    'x-auth',
    'x-amzn-trace-id',
    'authorization',
    'cookie',
    'accept',
  ]) {
    t.equal(owned(normaliseFieldName(name)), 'no', name)
  }
})

t.test('H-09, H-13, P-21: what only a proxy may say is a trusted peer’s', async (t) => {
  const owned = compileOwnedHeaders([])
  for (const name of [
    'X-Forwarded-For', 'x_forwarded_for', 'X-Forwarded-Client-Cert', 'x-forwarded-', 'Forwarded', 'X-Real-IP',
    'X-Envoy-Original-Path', 'X-SSL-Client-Cert',
  ]) t.equal(owned(normaliseFieldName(name)), 'unless_trusted', name) // prettier-ignore
  t.equal(owned('x-forwarded'), 'no')
})

t.test('H-13: nobody may turn a request into another one behind the decision', async (t) => {
  const owned = compileOwnedHeaders([])
  for (const name of [
    'X-Original-URL', 'x-original-uri', 'x-original-method', 'X-Rewrite-Url', 'X-Override-URL', 'X-HTTP-Method-Override',
    'X-Http-Method', 'X-Method-Override', 'x_http_method_override',
  ]) t.equal(owned(normaliseFieldName(name)), 'never', name) // prettier-ignore
  t.equal(compileOwnedHeaders(['x-original-url'])('x-original-url'), 'always', 'but Poolgate')
})

t.test('hop-by-hop fields end here, whatever Connection says', async (t) => {
  for (const name of [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
    'HTTP2-Settings',
    'Proxy',
    'Proxy-Authorization',
    'Proxy-Authenticate',
  ]) {
    t.ok(isHopByHop(normaliseFieldName(name)), name)
  }
  t.notOk(isHopByHop('host'))
})

t.test('H-04: every Connection line counts, in any case, with empty members between', async (t) => {
  const headers = [
    'Connection',
    'X-A, , close',
    'x-a',
    '1',
    'CONNECTION',
    '\tX-B \t',
    'connection-x',
    'x-c',
  ]
  t.same([...connectionNamed(headers)], ['x-a', 'close', 'x-b'])
  t.same([...connectionNamed([])], [])
})

t.test('only spaces and tabs are blanks, and only around a text', async (t) => {
  for (const [text, trimmed] of [
    ['', ''],
    [' \t ', ''],
    ['a', 'a'],
    ['\t a \t b \t', 'a \t b'],
    ['\xa0a\v', '\xa0a\v'],
  ] as const) {
    t.equal(trimBlanks(text), trimmed, JSON.stringify(text))
  }
})

t.test('H-18: a field that may stand once is absent, single or twice', async (t) => {
  t.equal(singleValue([], 'host'), undefined)
  t.equal(singleValue(['A', '1', 'HOST', 'x', 'hosts', 'y'], 'host'), 'x')
  t.equal(singleValue(['host', '', 'a', 'b'], 'host'), '')
  t.equal(singleValue(['Host', 'x', 'hOST', 'x'], 'host'), null)
})

t.test('S-12: a body and an upgrade do not go together', async (t) => {
  const upgrade = ['Connection', 'Upgrade', 'UPGRADE', 'websocket']
  for (const fields of [
    ['Content-Length', '1'],
    ['Transfer-Encoding', 'chunked'],
  ]) {
    for (const headers of [
      [...upgrade, ...fields],
      [...fields, ...upgrade],
      [...fields, 'upgrade', ''],
    ]) {
      t.match(checkFraming(headers, '1.1'), { refused: true, reason: 'request_malformed' })
    }
  }
  t.same(checkFraming(upgrade, '1.1'), { chunked: false, contentLength: undefined })
  t.same(checkFraming([...upgrade, 'Content-Length', '0'], '1.1'), {
    chunked: false,
    contentLength: 0,
  })
  t.same(checkFraming(['Referer', 'upgrade', 'Content-Length', '1'], '1.1'), {
    chunked: false,
    contentLength: 1,
  })
})

t.test('a body is framed by one chunked or one plain length', async (t) => {
  t.same(checkFraming(['Host', 'a'], '1.1'), { chunked: false, contentLength: undefined })
  t.same(checkFraming(['Content-Length', '0'], '1.1'), { chunked: false, contentLength: 0 })
  t.same(checkFraming(['content-length', '10'], '1.0'), { chunked: false, contentLength: 10 })
  t.same(checkFraming(['Content-Length', '9007199254740991'], '1.1'), {
    chunked: false,
    contentLength: 2 ** 53 - 1,
  })
  t.same(checkFraming(['Transfer-Encoding', 'Chunked'], '1.1'), {
    chunked: true,
    contentLength: undefined,
  })
  t.same(checkFraming(['Content-Type', 'a', 'Accept', 'b'], '1.1'), {
    chunked: false,
    contentLength: undefined,
  })
})

t.test('S-01, S-03, S-04, S-05: any other framing is malformed', async (t) => {
  const bad: [string[], string?][] = [
    [['Content-Length', '1', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'chunked', 'Content-Length', '1']],
    [['Transfer-Encoding', 'chunked'], '1.0'],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    [['Content-Length', '1', 'content-length', '1']],
    [['Content-Length', '1', 'Content_Length', '1']],
    [['Content_Length', '1']],
    [['HTTP2-Settings', 'AAMAAABk']],
    [[], '0.9'],
    [[], '2.0'],
    [['Content-Length', '1'], '0.9'],
    [['Content.Length', '1']],
    [['Transfer_Encoding', 'chunked']],
    [['Content-Type', 'a', 'content-type', 'b']],
  ]
  for (const coding of [
    'identity',
    'identity, chunked',
    'cow, chunked',
    'chunked, chunked',
    'gzip',
    '',
    ' chunked',
    'chunked ',
    '\x0bchunked',
    '"chunked"',
    'xchunked',
  ]) {
    bad.push([['Transfer-Encoding', coding]])
  }
  for (const length of [
    '+5',
    '-5',
    '0x5',
    '5e0',
    '5 5',
    '5,5',
    '5;',
    '',
    ' 5',
    '5 ',
    '05',
    '00',
    '9007199254740992',
    '99999999999999999999',
    '５',
    '1_0',
    '5.0',
  ]) {
    bad.push([['Content-Length', length]])
  }
  for (const [headers, version = '1.1'] of bad) {
    t.match(
      checkFraming(headers, version),
      { refused: true, reason: 'request_malformed' },
      JSON.stringify(headers),
    )
  }
})

t.test('all lines of a field are one list', async (t) => {
  const headers = ['X-Forwarded-For', 'a', 'X', 'b', 'x-forwarded-for', 'c, d']
  t.equal(listValue(headers, 'x-forwarded-for'), 'a, c, d')
  t.equal(listValue(['X', 'x-forwarded-for'], 'x-forwarded-for'), undefined)
})

t.test('no spelling of an owned name is anybody’s', async (t) => {
  const owned = compileOwnedHeaders(['x-auth-subject'])
  const separator = fc.constantFrom(
    '-',
    '_',
    '.',
    '~',
    '!',
    '#',
    '$',
    '%',
    '&',
    "'",
    '*',
    '+',
    '^',
    '`',
    '|',
  )
  fc.assert(
    fc.property(separator, separator, fc.boolean(), (a, b, upper) => {
      const name = `x${a}auth${b}subject`
      return owned(normaliseFieldName(upper ? name.toUpperCase() : name)) === 'always'
    }),
  )
  t.pass('for every generated case')
})
