// A response head is read in one way or not at all: every rule of its grammar, its framing and its connection, from both sides.
import t from 'tap'
import {
  type Malformed,
  parseFields,
  parseResponseHead,
  type ResponseHead,
} from '../../src/upstream/response-head.ts'

/** Reads `lines` as the head of a response whose body follows. */
function read(...lines: string[]): ResponseHead | Malformed {
  const text = lines.map((line) => `${line}\r\n`).join('')
  return parseResponseHead(`${text}\r\nHTTP/1.1 500 body\r\nX: body\r\n\r\n`, text.length)
}

function accept(...lines: string[]): ResponseHead {
  const head = read(...lines)
  if ('malformed' in head) throw new Error(`${head.malformed}: ${JSON.stringify(lines)}`)
  return head
}

function problem(...lines: string[]): string | undefined {
  const head = read(...lines)
  return 'malformed' in head ? head.malformed : undefined
}

/** What may stand around a word and looks blank or is none. */
const LOOKALIKES = ['\xa0', '\x85', '\x0b', '\x0c', '\0', '\x7f', '\x1f', '\b'] as const
/** Of these only the first two are field content: the others break the line. */
const FIELD_CONTENT = ['\xa0', '\x85'] as const

t.test('a head is its status and its fields as they stand, and ends where it ends', async (t) => {
  t.same(accept('HTTP/1.1 200 OK', 'Content-Length: 5', 'X-A: b c', 'x-a:\t\xe9 \t'), {
    status: 200,
    headers: ['Content-Length', '5', 'X-A', 'b c', 'x-a', '\xe9'],
    chunked: false,
    contentLength: 5,
    persistent: true,
    keepAliveMs: Infinity,
  })
  t.same(accept('HTTP/1.1 204 No Content').headers, [])
})

t.test('a head stands anywhere in the text up to its end', async (t) => {
  const text = 'HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n'
  const end = text.length - 2
  t.same((parseResponseHead(text, end) as ResponseHead).headers, ['A', '1', 'B', '2'])
  t.same((parseResponseHead(text, end - 6) as ResponseHead).headers, ['A', '1'], 'lines behind it')
  t.same((parseResponseHead(text, 17) as ResponseHead).headers, [])
})

t.test('only HTTP/1.0 and HTTP/1.1 are spoken', async (t) => {
  for (const version of ['HTTP/1.0', 'HTTP/1.1']) {
    t.equal(accept(`${version} 200 OK`).status, 200, version)
  }
  const others = ['HTTP/0.9', 'HTTP/1.2', 'HTTP/1.9', 'HTTP/2.0', 'HTTP/2', 'HTTP/3', 'HTTP/11.1']
  const misspelt = [
    'http/1.1',
    'HTTP/1,1',
    'HTTP 1.1',
    'HTTP/1.',
    'HTTP/1.01',
    'HTTP/1.\xb9',
    'ICY',
  ]
  for (const version of [...others, ...misspelt, ' HTTP/1.1', '\tHTTP/1.1', '\r\nHTTP/1.1', '']) {
    t.ok(problem(`${version} 200 OK`), JSON.stringify(version))
  }
  t.ok(problem('<html>'), 'HTTP/0.9 has no head at all')
  t.same(parseResponseHead('', 0), { malformed: 'version' })
})

t.test(
  'a status is three digits from 100, one space before, one space or the end behind',
  async (t) => {
    for (const status of [100, 101, 199, 200, 299, 404, 599, 600, 999]) {
      t.equal(accept(`HTTP/1.1 ${status} x`).status, status)
    }
    for (const status of [
      '000',
      '099',
      '20',
      '2',
      '',
      '2000',
      '0200',
      '+20',
      '-20',
      '2e2',
      '0x1',
      '2 0',
    ])
      t.ok(problem(`HTTP/1.1 ${status} OK`), JSON.stringify(status))
    for (const line of [
      'HTTP/1.1  200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1200 OK',
      'HTTP/1.1\xa0200 OK',
    ])
      t.ok(problem(line), JSON.stringify(line))
    for (const line of ['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1 200  OK ', 'HTTP/1.1 200 \t'])
      t.equal(accept(line).status, 200, JSON.stringify(line))
    for (const line of ['HTTP/1.1 200\t', 'HTTP/1.1 200OK', 'HTTP/1.1 200\xa0OK', 'HTTP/1.1 200,'])
      t.ok(problem(line), JSON.stringify(line))
  },
)

t.test('a reason phrase has any text but no control character', async (t) => {
  for (const reason of ['', 'Not Found', 'a\tb', '\x80\xff', ':', 'A: b', 'HTTP/1.1 500'])
    t.equal(accept(`HTTP/1.1 200 ${reason}`).status, 200, JSON.stringify(reason))
  for (const reason of ['\0', 'a\0b', '\x1b[2J', '\x7f', 'a\nb', 'a\rb', 'a\r\rb', 'OK\r', 'OK\n'])
    t.ok(problem(`HTTP/1.1 200 ${reason}`), JSON.stringify(reason))
})

t.test('a field name is a token, and a colon follows at once', async (t) => {
  const token = "!#$%&'*+-.^_`|~09AZaz"
  t.same(accept('HTTP/1.1 200 OK', `${token}: x`).headers, [token, 'x'])
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code)
    const isName = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character)
    if (character === ':') continue
    t.equal(problem('HTTP/1.1 200 OK', `X${character}Y: z`) === undefined, isName, `code ${code}`)
  }
  for (const line of ['X : y', 'X\t: y', 'X\xa0: y', ': y', 'X', ' X: y', '\tX: y', '\xa0X: y'])
    t.ok(problem('HTTP/1.1 200 OK', line), JSON.stringify(line))
  t.same(accept('HTTP/1.1 200 OK', 'X::y:').headers, ['X', ':y:'], 'a colon in a value is text')
})

t.test(
  'a value has every byte but the control characters, and loses only spaces and tabs',
  async (t) => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      const isText = code === 9 || (code >= 32 && code !== 127)
      const head = read('HTTP/1.1 200 OK', `X: a${character}b`)
      if (isText) t.same((head as ResponseHead).headers, ['X', `a${character}b`], `code ${code}`)
      else t.ok('malformed' in head, `code ${code}`)
    }
    for (const blank of FIELD_CONTENT) {
      t.same(accept('HTTP/1.1 200 OK', `X: ${blank}y${blank} `).headers, ['X', `${blank}y${blank}`])
    }
    t.same(
      accept('HTTP/1.1 200 OK', 'X: \t \t').headers,
      ['X', ''],
      'nothing but blanks is nothing',
    )
    t.same(accept('HTTP/1.1 200 OK', 'X:').headers, ['X', ''])
  },
)

t.test('a line ends in CR LF alone, and is never folded', async (t) => {
  const broken = {
    'bare LF behind the status line': 'HTTP/1.1 200 OK\nX: y\r\n',
    'bare LF behind a field': 'HTTP/1.1 200 OK\r\nX: y\nZ: z\r\n',
    'bare CR in a value': 'HTTP/1.1 200 OK\r\nX: y\rZ: z\r\n',
    'two CR before LF': 'HTTP/1.1 200 OK\r\nX: y\r\r\n',
    'LF CR': 'HTTP/1.1 200 OK\r\nX: y\n\rZ: z\r\n',
    'NUL in a value': 'HTTP/1.1 200 OK\r\nX: \0\r\n',
    'a fold by space': 'HTTP/1.1 200 OK\r\nX: y\r\n z\r\n',
    'a fold by tab': 'HTTP/1.1 200 OK\r\nX: y\r\n\tz\r\n',
    'a fold before the first field': 'HTTP/1.1 200 OK\r\n X: y\r\n',
    'a fold of nothing': 'HTTP/1.1 200 OK\r\nX: y\r\n \r\n',
    'a folded Transfer-Encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n',
    'an empty line within': 'HTTP/1.1 200 OK\r\n\r\nX: y\r\n',
  }
  for (const [name, text] of Object.entries(broken)) {
    t.ok('malformed' in parseResponseHead(`${text}\r\n`, text.length), name)
  }
})

t.test('512 fields are taken, 513 are not', async (t) => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: y`)
  t.equal(accept('HTTP/1.1 200 OK', ...fields(512)).headers.length, 1024)
  t.equal(problem('HTTP/1.1 200 OK', ...fields(513)), 'too many header fields')
})

t.test('Content-Length is one plain decimal number', async (t) => {
  for (const length of ['0', '1', '9', '10', '1234567890', '999999999999999'])
    t.equal(accept('HTTP/1.1 200 OK', `Content-Length: ${length}`).contentLength, Number(length))
  t.equal(accept('HTTP/1.1 200 OK', 'CONTENT-length:\t 7 \t').contentLength, 7)
  t.equal(accept('HTTP/1.1 200 OK').contentLength, -1)
  const others = [
    '',
    '+5',
    '-5',
    '-0',
    '05',
    '00',
    '0x5',
    '5.0',
    '5e0',
    'five',
    '5,5',
    '5, 5',
    '5 5',
  ]
  const long = ['1000000000000000', '9'.repeat(16), '18446744073709551616', '1'.repeat(400)]
  for (const length of [...others, ...long, '5;', '"5"', '\u00b2', '5a', 'a5', 'NaN', 'Infinity'])
    t.equal(problem('HTTP/1.1 200 OK', `Content-Length: ${length}`), 'Content-Length', length)
  for (const blank of FIELD_CONTENT) {
    for (const length of [`${blank}5`, `5${blank}`, `5${blank}5`, blank])
      t.equal(problem('HTTP/1.1 200 OK', `Content-Length: ${length}`), 'Content-Length')
  }
})

t.test('two Content-Lengths are refused, be they equal or not', async (t) => {
  const twice = (a: string, b: string) =>
    problem('HTTP/1.1 200 OK', `Content-Length: ${a}`, 'X: y', `content-length: ${b}`)
  t.equal(twice('5', '5'), 'Content-Length twice')
  t.equal(twice('5', '6'), 'Content-Length twice')
  t.equal(twice('', '5'), 'Content-Length twice')
})

t.test(
  'Transfer-Encoding is one chunked on HTTP/1.1 without a length, or the head is refused',
  async (t) => {
    for (const coding of ['chunked', 'Chunked', 'CHUNKED', ' \tchunked\t ']) {
      const head = accept('HTTP/1.1 200 OK', `transfer-ENCODING:${coding}`)
      t.ok(head.chunked, JSON.stringify(coding))
      t.equal(head.contentLength, -1)
    }
    t.notOk(accept('HTTP/1.1 200 OK').chunked)
    const lists = ['gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked,', ',chunked']
    const others = [
      '',
      'identity',
      'gzip',
      'xchunked',
      'chunkedx',
      'chunk',
      '"chunked"',
      "'chunked'",
    ]
    for (const coding of [...lists, ...others, 'chunked;q=1', 'chunked;', 'chun ked', 'chun\tked'])
      t.equal(
        problem('HTTP/1.1 200 OK', `Transfer-Encoding: ${coding}`),
        'Transfer-Encoding',
        coding,
      )
    t.equal(problem('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'), 'Transfer-Encoding')
    const length = 'Content-Length: 5'
    const coding = 'Transfer-Encoding: chunked'
    t.equal(problem('HTTP/1.1 200 OK', length, coding), 'Transfer-Encoding')
    t.equal(problem('HTTP/1.1 200 OK', coding, length), 'Transfer-Encoding')
    t.equal(problem('HTTP/1.1 200 OK', coding, coding), 'Transfer-Encoding twice')
    t.equal(problem('HTTP/1.1 200 OK', coding, 'Transfer-Encoding: '), 'Transfer-Encoding twice')
  },
)

t.test('what only looks like a blank is part of a value, and no part of a name', async (t) => {
  for (const blank of LOOKALIKES) {
    const shown = JSON.stringify(blank)
    for (const value of [`${blank}chunked`, `chunked${blank}`, ` ${blank} chunked`])
      t.ok(problem('HTTP/1.1 200 OK', `Transfer-Encoding:${value}`), `${shown} around chunked`)
    for (const name of ['Transfer-Encoding', 'Content-Length']) {
      t.ok(problem('HTTP/1.1 200 OK', `${name}${blank}: 5`), `${shown} behind a name`)
      t.ok(problem('HTTP/1.1 200 OK', `${blank}${name}: 5`), `${shown} before a name`)
    }
  }
})

t.test('names that only resemble a framing field frame nothing', async (t) => {
  const lines = [
    'Content_Length: 5',
    'Transfer_Encoding: chunked',
    'X-Content-Length: 6',
    'TE: chunked',
  ]
  const head = accept(
    'HTTP/1.1 200 OK',
    ...lines,
    'Content-Encoding: chunked',
    'Content-Lengths: 5',
  )
  t.equal(head.contentLength, -1)
  t.notOk(head.chunked)
})

t.test('a connection persists unless the upstream or its version says otherwise', async (t) => {
  const persists = (version: string, ...values: string[]) =>
    accept(`HTTP/${version} 200 OK`, ...values.map((value) => `CONNECTION: ${value}`)).persistent
  for (const values of [[], ['keep-alive'], ['x'], ['closed'], ['not-close'], ['"close"'], ['']])
    t.ok(persists('1.1', ...values), `1.1 ${values}`)
  for (const values of [
    ['close'],
    ['Close'],
    ['keep-alive, close'],
    ['x ,\tCLOSE\t, y'],
    ['x', 'close'],
  ])
    t.notOk(persists('1.1', ...values), `1.1 ${values}`)
  for (const values of [['keep-alive'], ['Keep-Alive'], ['x, keep-alive'], ['x', 'keep-alive']])
    t.ok(persists('1.0', ...values), `1.0 ${values}`)
  for (const values of [[], ['close'], ['keep-alive, close'], ['keep-alive', 'close'], ['x'], ['']])
    t.notOk(persists('1.0', ...values), `1.0 ${values}`)
})

t.test('how long an idle connection is kept is what Keep-Alive says in seconds', async (t) => {
  const kept = (value: string) => accept('HTTP/1.1 200 OK', `Keep-Alive: ${value}`).keepAliveMs
  for (const value of ['timeout=5', 'timeout=5, max=100', 'max=100,timeout=5', 'Timeout=5'])
    t.equal(kept(value), 5000, value)
  t.equal(kept('timeout=0'), 0)
  for (const value of ['', '5', 'timeout', 'timeout=', 'timeout=x', 'timeout=-5', 'xtimeout=5'])
    t.equal(kept(value), Infinity, value)
})

t.test('an interim head is read as any other', async (t) => {
  t.same(accept('HTTP/1.1 103 Early Hints', 'Link: </a>').headers, ['Link', '</a>'])
  t.equal(accept('HTTP/1.1 100 Continue').status, 100)
  t.equal(accept('HTTP/1.1 101 Switching Protocols', 'Upgrade: x').status, 101)
  t.ok(problem('HTTP/1.1 103 Early Hints', 'Link : </a>'))
})

t.test('field lines of trailers are read by the same rules', async (t) => {
  const fields = (text: string) => parseFields(text, 0, text.length)
  t.same(fields(''), [])
  t.same(fields('A: 1\r\nB:\t2 \r\n'), ['A', '1', 'B', '2'])
  t.same(parseFields('xxA: 1\r\nB: 2\r\n', 2, 8), ['A', '1'], 'within the bounds given')
  for (const text of [
    'A',
    'A: 1',
    'A: 1\n',
    'A: 1\r',
    'A : 1\r\n',
    ' A: 1\r\n',
    'A: 1\r\n 2\r\n',
    '\r\n',
  ])
    t.equal(fields(text), undefined, JSON.stringify(text))
})
