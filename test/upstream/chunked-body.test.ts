// The chunked coding comes off exactly, however the bytes are cut; whatever is not exactly chunked is malformed and stays so.
import t from 'tap'
import { ChunkedBody } from '../../src/upstream/chunked-body.ts'

interface Read {
  readonly payload: string
  readonly trailers: readonly string[]
  readonly done: boolean
  readonly malformed: string | undefined
  /** What stood behind the end of the body. */
  readonly surplus: string
}

/** Decodes the pieces one after the other, each in memory of its own with other bytes around it. */
function decode(...pieces: string[]): Read {
  const body = new ChunkedBody()
  let payload = ''
  let surplus = ''
  for (const piece of pieces) {
    if (body.done || body.malformed !== undefined) {
      surplus += piece
      continue
    }
    const bytes = Buffer.from(`<<<${piece}>>>`, 'latin1')
    const end = body.decode(bytes, 3, bytes.length - 3)
    payload += bytes.toString('latin1', 3, end)
    if (body.done) surplus += bytes.toString('latin1', body.endedAt, bytes.length - 3)
    if (bytes.toString('latin1', bytes.length - 3) !== '>>>')
      throw new Error('wrote behind its end')
    if (bytes.toString('latin1', 0, 3) !== '<<<') throw new Error('wrote before its beginning')
  }
  const { trailers, done, malformed } = body
  return { payload, trailers, done, malformed, surplus }
}

function accepted(text: string): string {
  const { payload, done, malformed } = decode(text)
  return done && malformed === undefined ? payload : `not read: ${malformed}`
}

const problem = (text: string) => decode(text).malformed

const WHOLE = '5\r\nhello\r\n1;a=b;c="d e"\r\n \r\n0a\r\n0123456789\r\n0\r\nX-T: \xfe\r\nY:\r\n\r\n'
const READ: Read = {
  payload: 'hello 0123456789',
  trailers: ['X-T', '\xfe', 'Y', ''],
  done: true,
  malformed: undefined,
  surplus: '',
}

t.test('the payload is what the chunks hold, in their order', async (t) => {
  t.same(decode(WHOLE), READ)
  t.same(decode('0\r\n\r\n'), { ...READ, payload: '', trailers: [] })
  t.same(decode('3\r\n\r\n0\r\n0\r\n\r\n'), { ...READ, payload: '\r\n0', trailers: [] })
})

t.test('where the bytes are cut makes no difference', async (t) => {
  t.same(decode(...WHOLE), READ, 'byte by byte')
  for (let i = 0; i <= WHOLE.length; i++) {
    t.same(decode(WHOLE.slice(0, i), WHOLE.slice(i)), READ, `cut at ${i}`)
    const j = (i * 7) % (WHOLE.length + 1)
    const [from, to] = [Math.min(i, j), Math.max(i, j)]
    const pieces = [WHOLE.slice(0, from), WHOLE.slice(from, to), WHOLE.slice(to)]
    t.same(decode(...pieces), READ, `cut at ${from} and ${to}`)
  }
})

t.test('a body that breaks off is neither done nor malformed', async (t) => {
  for (let i = 0; i < WHOLE.length; i++) {
    const { done, malformed, payload } = decode(WHOLE.slice(0, i))
    t.notOk(done, `cut at ${i}`)
    t.equal(malformed, undefined)
    t.ok(READ.payload.startsWith(payload))
  }
})

t.test('what stands behind the end is not touched', async (t) => {
  const next = 'HTTP/1.1 200 OK\r\n\r\n'
  t.same(decode(`${WHOLE}${next}`), { ...READ, surplus: next })
  t.same(decode(`0\r\n\r\n${next}`).surplus, next)
  for (let i = 0; i <= WHOLE.length; i++) {
    t.same(decode(WHOLE.slice(0, i), `${WHOLE.slice(i)}${next}`), { ...READ, surplus: next })
  }
})

t.test('the bytes given are bounded on both sides', async (t) => {
  const body = new ChunkedBody()
  const bytes = Buffer.from('xx3\r\nabc\r\n0\r\n\r\nyy')
  const end = body.decode(bytes, 2, bytes.length - 2)
  t.equal(bytes.toString('latin1', 2, end), 'abc')
  t.equal(body.endedAt, bytes.length - 2)
  t.equal(bytes.toString('latin1', 0, 2) + bytes.toString('latin1', bytes.length - 2), 'xxyy')
  t.equal(new ChunkedBody().decode(bytes, 4, 4), 4, 'no bytes, no payload')
})

t.test('a chunk size is 1 to 12 hexadecimal digits in either case', async (t) => {
  t.equal(accepted(`A\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`), 'x'.repeat(10))
  t.equal(accepted(`a\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`), 'x'.repeat(10))
  t.equal(accepted(`fF\r\n${'x'.repeat(255)}\r\n0\r\n\r\n`), 'x'.repeat(255))
  t.equal(accepted('000000000001\r\nx\r\n000000000000\r\n\r\n'), 'x', 'twelve digits')
  t.equal(problem('0000000000001\r\nx\r\n0\r\n\r\n'), 'chunk size', 'thirteen digits')
  t.equal(problem('ffffffffffff\r\nxyz'), undefined)
  t.equal(problem('fffffffffffff'), 'chunk size')
})

t.test('nothing else is a chunk size', async (t) => {
  const sizes = [
    '',
    '+5',
    '-5',
    '0x5',
    '5h',
    'g',
    ' 5',
    '5 ',
    '\t5',
    '5\t',
    '\xa05',
    '5\xa0',
    '5\0',
  ]
  for (const size of [
    ...sizes,
    '5,',
    '5.',
    '"5"',
    '\r',
    '5_0',
    '/',
    ':',
    '@',
    'G',
    '`',
    '\xb5',
    '\xff',
  ])
    t.ok(problem(`${size}\r\nhello\r\n0\r\n\r\n`), JSON.stringify(size))
  t.ok(problem(';a=b\r\nhello'), 'an extension without a size')
  t.ok(problem('\r\n5\r\nhello'), 'an empty line before the size')
})

t.test('every line ends in CR LF', async (t) => {
  const broken = {
    'bare LF behind a size': '5\nhello\r\n0\r\n\r\n',
    'bare CR behind a size': '5\rhello\r\n0\r\n\r\n',
    'two CR behind a size': '5\r\r\nhello\r\n0\r\n\r\n',
    'bare LF behind data': '5\r\nhello\n0\r\n\r\n',
    'bare CR behind data': '5\r\nhello\r0\r\n\r\n',
    'CR and another byte behind data': '5\r\nhello\rx0\r\n\r\n',
    'another byte and LF behind data': '5\r\nhellox\n0\r\n\r\n',
    'CR and another byte behind a size': '5\rxhello\r\n0\r\n\r\n',
    'nothing behind data': '5\r\nhello0\r\n\r\n',
    'data longer than its size': '4\r\nhello\r\n0\r\n\r\n',
    'data shorter than its size': '6\r\nhello\r\n0\r\n\r\n',
    'bare LF behind an extension': '5;a\nhello\r\n0\r\n\r\n',
    'bare LF behind the last size': '0\n\r\n',
    'bare LF for an end': '0\r\n\n',
    'bare LF behind a trailer': '0\r\nX: y\n\r\n',
    'bare CR in a trailer': '0\r\nX: y\rZ: z\r\n\r\n',
  }
  for (const [name, text] of Object.entries(broken)) {
    t.ok(problem(text), name)
    const pieces = decode(...text)
    t.ok(pieces.malformed, `${name}, byte by byte`)
    t.notOk(pieces.done, name)
  }
})

t.test('an extension is names with tokens or quoted strings, and is dropped', async (t) => {
  for (const extension of [
    ';a',
    ';a=b',
    ';a="b"',
    ';a=b;c=d;e',
    ';a=""',
    ';a="\t !#[]~;=,"',
    ";!#$%&'*+-.^_`|~=1",
  ])
    t.equal(accepted(`1${extension}\r\nx\r\n0${extension}\r\n\r\n`), 'x', extension)
  const broken = [
    ';',
    ';;',
    ';a;',
    ';=b',
    ';a=',
    ';a=b=c',
    ';a="b',
    ';a=b"',
    ';a="b"c',
    ';a="b\0"',
    ';a=\x7f',
  ]
  for (const extension of [
    ...broken,
    '; a',
    ';a =b',
    ';a= b',
    ';a\t',
    ' ;a',
    ';a=\xa0b',
    ';a\xe9',
    ';a="\r"',
    ',a',
  ])
    t.ok(problem(`1${extension}\r\nx\r\n0\r\n\r\n`), JSON.stringify(extension))
})

t.test('an extension has 1024 bytes at most', async (t) => {
  const extension = (length: number) => `;${'a'.repeat(length - 1)}`
  t.equal(accepted(`1${extension(1024)}\r\nx\r\n0\r\n\r\n`), 'x')
  t.equal(problem(`1${extension(1025)}\r\nx\r\n0\r\n\r\n`), 'chunk extension')
  t.ok(problem(`1${extension(1025)}`), 'before it ends')
})

t.test('trailers are field lines, and as strict', async (t) => {
  t.same(decode('0\r\nA: 1\r\nb:\t2\t\r\nA: 3\r\n\r\n').trailers, ['A', '1', 'b', '2', 'A', '3'])
  for (const trailer of [
    'A',
    'A : 1',
    ' A: 1',
    ': 1',
    'A: \0',
    'A: 1\r\n 2',
    '\xa0A: 1',
    'A: \x7f',
  ])
    t.equal(problem(`0\r\n${trailer}\r\n\r\n`), 'trailer', JSON.stringify(trailer))
})

t.test('a trailer cannot say how long the message is', async (t) => {
  for (const name of ['Content-Length', 'content-length', 'Transfer-Encoding', 'TRANSFER-ENCODING'])
    t.equal(problem(`0\r\nA: 1\r\n${name}: 5\r\n\r\n`), 'trailer', name)
  for (const line of ['X: Content-Length', 'Content-Length-X: 5', 'Content_Length: 5', 'ETag: x'])
    t.ok(decode(`0\r\n${line}\r\n\r\n`).done, line)
})

t.test('trailers have 16 KiB at most, however they are cut', async (t) => {
  const limit = 16 * 1024
  const trailer = (length: number) => `X: ${'y'.repeat(length - 7)}\r\n\r\n`
  t.equal(trailer(limit).length, limit)
  const cuts = [1, 2, 100, limit - 1, limit, limit + 1]
  for (const cut of cuts) {
    const within = `0\r\n${trailer(limit)}`
    t.ok(decode(within.slice(0, cut), within.slice(cut)).done, `16 KiB cut at ${cut}`)
    const beyond = `0\r\n${trailer(limit + 1)}`
    t.equal(decode(beyond.slice(0, cut), beyond.slice(cut)).malformed, 'trailer', `cut at ${cut}`)
  }
  const endless = Array.from({ length: 200 }, (_, i) => `X-${i}: ${'y'.repeat(90)}\r\n`)
  t.equal(decode('0\r\n', ...endless).malformed, 'trailer', 'and are not waited for')
})

t.test('after an error nothing is read', async (t) => {
  const body = new ChunkedBody()
  const bytes = Buffer.from('x5\r\nhello\r\n0\r\n\r\n')
  t.equal(body.decode(bytes, 0, 1), 0)
  t.equal(body.malformed, 'chunk size')
  t.equal(body.decode(bytes, 1, bytes.length), 1, 'no payload')
  t.notOk(body.done)
})

t.test('many tiny chunks in one read are put together in place', async (t) => {
  const parts = Array.from({ length: 5_000 }, (_, i) =>
    String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 7)),
  )
  const text = `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`
  t.equal(decode(text).payload, parts.join(''))
  const pieces = text.match(/[\s\S]{1,997}/g) as string[]
  t.equal(decode(...pieces).payload, parts.join(''))
})
