// Targets that can be read in one way only, and the many that cannot (catalogue rows P-01 to P-14, P-22, P-23).
import t from 'tap'
import { parseRequestTarget, withoutUserinfo } from '../../src/http/request-target.ts'
import { fc } from '../support/fuzz.ts'

const HOST = 'probe.test'

function read(raw: string, host = HOST): string {
  const target = parseRequestTarget(raw, host)
  return 'refused' in target ? target.reason : target.decodedPath
}

t.test('a path is taken as written, its query apart, and decoded once', async (t) => {
  t.match(parseRequestTarget('/a/b%20c?x=%2F&y', HOST), {
    path: '/a/b%20c',
    query: '?x=%2F&y',
    decodedPath: '/a/b c',
  })
  t.match(parseRequestTarget('/', HOST), { path: '/', query: '', decodedPath: '/', plain: true })
  t.match(parseRequestTarget('/?', HOST), { path: '/', query: '?' })
  t.equal(read('/caf%C3%A9'), '/café')
  t.equal(read('/%61dm%69n'), '/admin')
  t.equal(read('/a+b'), '/a+b')
  t.equal(read('/a%2525'), '/a%25')
})

t.test('plain says that only a last slash can make another reading', async (t) => {
  for (const raw of [
    '/',
    '/a/b',
    "/a-b_c.d~e!$&'()*+,=:@",
    '/a%20b',
    '/%61',
    '/...',
    '/.well-known/x',
  ]) {
    t.match(parseRequestTarget(raw, HOST), { plain: true }, raw)
  }
  for (const raw of ['/A', '/a;b', '/a%3bb', '/a%2541', '/%41', '/caf%C3%A9', '/%E2%84%AA']) {
    t.match(parseRequestTarget(raw, HOST), { plain: false }, raw)
  }
})

t.test('P-01, P-02, P-05: dot segments are refused in every spelling', async (t) => {
  const dots = [
    '/..', '/.', '/a/..', '/a/../b', '/a/./b', '/a/.', '/%2e', '/%2E%2e/a', '/.%2e/a', '/a/%2e', '/..;/a', '/..;a=b/',
    '/.;/', '/..%3b/a', '/%2e%2e%3Bx', '/a/..;x', '/..?x',
  ] // prettier-ignore
  for (const raw of dots) t.equal(read(raw), 'target_ambiguous', raw)
  for (const raw of [
    '/...',
    '/..a',
    '/a..',
    '/.a',
    '/a.',
    '/a/..b/',
    '/.;a.'.replace('/.;', '/x.;'),
  ]) {
    t.not(read(raw), 'target_ambiguous', raw)
  }
})

t.test(
  'P-03, P-04: encoded slashes and backslashes, and raw backslashes, are refused',
  async (t) => {
    for (const raw of ['/a%2fb', '/a%2Fb', '/%2f', '/a%5cb', '/a%5C', '/a\\b', '/..\\a', '\\a']) {
      t.match(read(raw), /target_ambiguous|request_malformed/, raw)
    }
  },
)

t.test('P-07: an empty segment is refused, a last slash is not', async (t) => {
  for (const raw of ['//', '//a', '/a//b', '/a//', '///'])
    t.equal(read(raw), 'target_ambiguous', raw)
  t.equal(read('/a/'), '/a/')
})

t.test('P-08: control characters, spaces and raw bytes beyond ASCII are refused', async (t) => {
  for (let code = 0; code < 256; code++) {
    const raw = `/a${String.fromCharCode(code)}b`
    const isControl =
      code <= 0x20 ||
      code === 0x7f ||
      code >= 0x80 ||
      code === 0x23 ||
      code === 0x5c ||
      code === 0x25
    t.equal(read(raw) === 'target_ambiguous', isControl, `raw 0x${code.toString(16)}`)
  }
  for (let code = 0; code < 128; code++) {
    const raw = `/a%${code.toString(16).padStart(2, '0')}b`
    const isRefused = code < 0x20 || code === 0x7f || code === 0x2f || code === 0x5c
    t.equal(read(raw) === 'target_ambiguous', isRefused, raw)
  }
  t.equal(read('/%C2%85'), 'target_ambiguous', 'C1')
  t.equal(read('/%C2%A0'), '/\u00a0')
})

t.test('P-09: broken percent-encoding and what is not UTF-8 are refused', async (t) => {
  for (const raw of [
    '/%',
    '/%1',
    '/%zz',
    '/%u002e',
    '/%c0%ae',
    '/%ed%a0%80',
    '/%ff',
    '/%C3',
    '/%C3%28',
    '/a%%20',
    '/%f4%90%80%80',
  ]) {
    t.equal(read(raw), 'target_ambiguous', raw)
  }
})

t.test(
  'P-13, P-14: the query takes no part, and a fragment is refused wherever it stands',
  async (t) => {
    for (const query of [
      '?/../',
      '?a//b',
      '?%2e%2e%2f',
      '?100%',
      '?a\\b',
      '?a|b',
      '?a?b',
      '?%00',
    ]) {
      t.match(parseRequestTarget(`/a${query}`, HOST), { path: '/a', query }, query)
    }
    for (const raw of ['/a#b', '/#', '/a?b#c', '/a?b c', '/a?\x01', '/a?\x7f', '/a?é']) {
      t.equal(read(raw), 'target_ambiguous', raw)
    }
    t.equal(read('/a%23b'), '/a#b')
  },
)

t.test('P-22: absolute form is taken when its authority is that of Host', async (t) => {
  t.match(parseRequestTarget('http://probe.test/a?x', HOST), { path: '/a', query: '?x' })
  t.match(parseRequestTarget('HTTP://Probe.Test', HOST), { path: '/' })
  t.match(parseRequestTarget('http://probe.test?x', HOST), { path: '/', query: '?x' })
  t.equal(read('http://probe.test:80/a'), '/a')
  t.equal(read('https://probe.test:443/a'), '/a')
  t.equal(read('http://probe.test./a'), '/a')
  t.equal(read('http://probe.test/a', 'probe.test:80'), '/a')
  t.equal(read('http://probe.test:8080/a', 'probe.test:8080'), '/a')
  t.equal(read('http://[::1]:8080/a', '[::1]:8080'), '/a')
  for (const raw of [
    'http://evil/a',
    'http://probe.test:81/a',
    'http://u@probe.test/a',
    'http://probe.test@evil/a',
    'http://probe.test.evil/a',
    'http:///a',
    'http://probe.test\\a',
    'http://probe.test//a',
    'http://probe.test/../a',
    'http://probe.test#a',
  ]) {
    t.equal(read(raw), 'target_ambiguous', raw)
  }
})

t.test('P-22: a password in a target is for nobody’s eyes', async (t) => {
  for (const [raw, shown] of [
    ['http://bob:s3cret@h/x', '***@h/x'],
    ['HTTP://bob:s3/cr@et@h', '***@h'],
    ['bob:s3cret@h:443', '***@h:443'],
    ['http://h/x', 'http://h/x'],
    ['/a@b', '/a@b'],
    ['*', '*'],
    ['', ''],
  ] as const) {
    t.equal(withoutUserinfo(raw), shown)
  }
})

t.test('P-23: other forms are malformed', async (t) => {
  for (const raw of [
    '*',
    'admin',
    '?x',
    '',
    'probe.test:443',
    'ftp://probe.test/a',
    'http:/a',
    ' /a',
    './a',
  ]) {
    t.equal(read(raw), 'request_malformed', raw)
  }
})

t.test('whatever is taken is whole, and refusing depends on nothing but the text', async (t) => {
  const piece = fc.constantFrom(
    '/',
    'a',
    'B',
    '.',
    '..',
    ';',
    '%2e',
    '%2f',
    '%25',
    '%41',
    '%c3%a9',
    '%ff',
    '?',
    '#',
    '\\',
    ' ',
    'é',
    '%',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const raw = `/${pieces.join('')}`
      const target = parseRequestTarget(raw, HOST)
      if ('refused' in target) return target.reason === 'target_ambiguous'
      const segments = target.decodedPath.split('/').slice(1, -1)
      return (
        target.path + target.query === raw &&
        decodeURIComponent(target.path) === target.decodedPath &&
        segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..') &&
        target.plain === !/[A-Z;%]|[^ -~]/.test(target.decodedPath)
      )
    }),
    { numRuns: 5_000 },
  )
  t.pass('for every generated case')
})

t.test('D-06: a long target costs no more than its length', async (t) => {
  for (const unit of ['/a', '%41', ';a', '/.a', 'A', '%']) {
    const time = (times: number) => {
      const raw = `/${unit.repeat(times)}`
      const start = performance.now()
      for (let i = 0; i < 20; i++) parseRequestTarget(raw, HOST)
      return performance.now() - start
    }
    time(1_000)
    t.ok(time(20_000) < 2_000, `${unit} stays linear`)
  }
})
