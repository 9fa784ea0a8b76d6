// Answers of hostile and broken upstreams, and a few honest ones, each with what has to become of it.

export const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
const withLine = (line: string) => `HTTP/1.1 200 OK\r\n${line}\r\n\r\nhello`
const withFields = (count: number) =>
  `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(count - 1)}Content-Length: 2\r\n\r\nok`

/** A response whose head has so many bytes. */
function withHead(size: number): string {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \r\n\r\nok'
  return text.replace('X: ', `X: ${'y'.repeat(size + 2 - text.length)}`)
}

/** Hostile and broken upstreams: what becomes of their answers. A body in quotes is whole. */
export const CASES: Readonly<
  Record<string, readonly [outcome: string, text: string, method?: 'GET' | 'HEAD']>
> = {
  'a length': ['200 "ok"', OK],
  'no length': ['200 "hello"', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  'no length and no body': ['200 ""', 'HTTP/1.1 200 OK\r\n\r\n'],
  chunks: ['200 "hello"', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`],
  'HTTP/1.0': ['200 "hello"', 'HTTP/1.0 200 OK\r\n\r\nhello'],
  'HTTP/1.0 with a length': ['200 "ok"', OK.replace('1.1', '1.0')],
  'nothing at all': ['refused', ''],
  'HTTP/0.9': ['refused', '<html>hello</html>\r\n'],
  'another protocol': ['refused', 'SSH-2.0-OpenSSH_10.2\r\n'],
  'CL and TE': ['refused', withLine('Content-Length: 5\r\nTransfer-Encoding: chunked')],
  'TE and CL': ['refused', withLine('Transfer-Encoding: chunked\r\nContent-Length: 5')],
  'two CL': ['refused', withLine('Content-Length: 5\r\nContent-Length: 6')],
  'two equal CL': ['refused', withLine('Content-Length: 5\r\nContent-Length: 5')],
  'a list in CL': ['refused', withLine('Content-Length: 5, 5')],
  'CL with a sign': ['refused', withLine('Content-Length: +5')],
  'negative CL': ['refused', withLine('Content-Length: -5')],
  'hexadecimal CL': ['refused', withLine('Content-Length: 0x5')],
  'CL too large to count': ['refused', withLine('Content-Length: 18446744073709551621')],
  'U+00A0 before the length': ['refused', withLine('Content-Length:\xa05')],
  'U+00A0 behind the length': ['refused', withLine('Content-Length: 5\xa0')],
  'space before colon': ['refused', withLine('Content-Length : 5')],
  'NUL in a value': ['refused', withLine('X: a\0b')],
  'NUL in a name': ['refused', withLine('X\0: b')],
  'bare LF behind a field': ['refused', 'HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\r\nhello'],
  'bare LF everywhere': ['refused', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
  'bare CR in a value': ['refused', withLine('X: y\rContent-Length: 5')],
  'a line without a colon': ['refused', withLine('X')],
  'a head that breaks off': ['refused', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'],
  '512 fields': ['200 "ok"', withFields(512)],
  '513 fields': ['refused', withFields(513)],
  '10,000 fields': ['refused', withFields(10_000)],
  'a body shorter than CL': ['200 broken', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello'],
  'no body where CL announces one': ['200 broken', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n'],
  'chunks without an end': ['200 broken', `${CHUNKED}5\r\nhello\r\n`],
  'chunks that end within a chunk': ['200 broken', `${CHUNKED}5\r\nhel`],
  'chunks that end within the end': ['200 broken', `${CHUNKED}5\r\nhello\r\n0\r\n\r`],
  'a bare LF behind a chunk size': ['200 broken', `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
  'a chunk size with a sign': ['200 broken', `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`],
  'a space behind a chunk size': ['200 broken', `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`],
  'a chunk longer than its size': ['200 broken', `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`],
  'a length among the trailers': ['200 broken', `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`],
  'a surplus behind a length': ['200 "ok"', OK + POISON],
  'a surplus behind chunks': ['200 "hello"', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n${POISON}`],
  'a 204 with a body': ['204 ""', `HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok`],
  'a 304 with a body': ['304 ""', `HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok`],
  'a 304 with chunks': ['304 ""', CHUNKED.replace('200 OK', '304 Not Modified')],
  'HEAD with a length': ['200 ""', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD'],
  'HEAD with a body': ['200 ""', OK, 'HEAD'],
  'HEAD with chunks': ['200 ""', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, 'HEAD'],
  '101 unasked': [
    'refused',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx',
  ],
  '101 unasked, without Upgrade': ['refused', `HTTP/1.1 101 Switching Protocols\r\n\r\n${OK}`],
  '103 and a response': ['103 200 "ok"', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`],
  '103 and nothing': ['103 refused', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  '199 and a response': ['199 200 "ok"', `HTTP/1.1 199 Odd\r\n\r\n${OK}`],
  'a redirect': [
    '302 ""',
    'HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nContent-Length: 0\r\n\r\n',
  ],
  'a coding of many layers': [
    '200 "ok"',
    OK.replace('\r\n', `\r\nContent-Encoding: ${'gzip, '.repeat(3000)}gzip\r\n`),
  ],
}

/** Where the lean engine refuses what undici takes in llhttp's reading, or the other way round. */
export const ONLY_LEAN: typeof CASES = {
  'HTTP/2': ['refused', 'HTTP/2.0 200 OK\r\n\r\n'],
  'a length with a leading zero': ['refused', withLine('Content-Length: 05')],
  'an empty length': ['refused', withLine('Content-Length:')],
  'TE on HTTP/1.0': ['refused', withLine('Transfer-Encoding: chunked').replace('1.1', '1.0')],
  'a TE that is not chunked': ['refused', withLine('Transfer-Encoding: identity')],
  'a coding before chunked': ['refused', withLine('Transfer-Encoding: gzip, chunked')],
  'chunked twice': [
    'refused',
    withLine('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  ],
  'U+00A0 before chunked': ['refused', withLine('Transfer-Encoding:\xa0chunked')],
  'U+00A0 behind chunked': ['refused', withLine('Transfer-Encoding: chunked\xa0')],
  'a folded field': ['refused', withLine('X: y\r\n z')],
  'a folded coding': ['refused', withLine('Transfer-Encoding:\r\n chunked')],
  'an empty line before the head': ['refused', `\r\n${OK}`],
  'a head of 32 KiB': ['200 "ok"', withHead(32 * 1024)],
  'a head of 32 KiB and a byte': ['refused', withHead(32 * 1024 + 1)],
  'a tab behind chunked': [
    '200 "ok"',
    `${CHUNKED.replace('chunked', 'chunked\t')}2\r\nok\r\n0\r\n\r\n`,
  ],
  '100 unasked': ['200 "ok"', `HTTP/1.1 100 Continue\r\n\r\n${OK}`],
  'a flood of 100': ['200 "ok"', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2000) + OK],
}
