// Answers that an upstream might give: put together from a grammar that knows what is right and what is wrong, and then damaged.
import type { Seeded } from './seeded.ts'

export interface UpstreamAnswer {
  readonly method: 'GET' | 'HEAD'
  readonly bytes: Buffer
  /** Nothing about it is unusual: whoever refuses it refuses an honest upstream. */
  readonly isPlain: boolean
}

const STATUSES = [
  '200',
  '200',
  '200',
  '201',
  '204',
  '206',
  '301',
  '304',
  '404',
  '500',
  '503',
  '999',
]
const REASONS = ['OK', 'Not Found', '', 'a\tb', '\xe9\xff']
const NAMES = ['X-A', 'x-b', 'Server', 'Set-Cookie', 'ETag', "!#$%&'*+-.^_`|~", 'Vary', 'Location']
const VALUES = ['', 'a', 'a b', '"x, y"', '\xa0', '\xfe\xff', ' a\t', '\t', ':', 'chunked', '5']

const ODD_VERSIONS = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/2', 'http/1.1', 'ICY']
const ODD_STATUSES = [
  '100',
  '101',
  '102',
  '103',
  '000',
  '099',
  '20',
  '2000',
  '+20',
  '0200',
  '',
  '2 0',
]
const ODD_LINES = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: +5',
  'Content-Length: 05',
  'Content-Length: 5, 5',
  'Content-Length:\xa05',
  'Content-Length: 5\xa0',
  'Content-Length: 0x5',
  'Content-Length: 5 5',
  'Content-Length:',
  'Content-Length: 18446744073709551617',
  'Content-Length : 5',
  'Content-Length\t: 5',
  'Content-Length\xa0: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:\xa0chunked',
  'Transfer-Encoding: chunked\xa0',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: ',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding : chunked',
  'Transfer_Encoding: chunked',
  'Content-Encoding: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade\r\nUpgrade: x',
  'Keep-Alive: timeout=5',
  'X: a\r\n b',
  'X: a\r\n\tb',
  ' X: a',
  'X : a',
  'X',
  ': a',
  'X: \0',
  'X: a\rb',
  'X: a\nY: b',
  'X: a\x7f',
  '',
] as const
const ODD_SIZES = [
  '',
  '+5',
  '0x5',
  ' 5',
  '5 ',
  '5\t',
  '05',
  '-1',
  'g',
  'fffffffffffff',
  '00000000000005',
  '5\xa0',
]
const EXTENSIONS = ['', '', '', '', ';a', ';a=b', ';a="b c"', ';a=b;c', ';a="\t"']
const ODD_EXTENSIONS = [
  ';',
  ' ;a',
  '; a',
  ';a="',
  ';a="\0"',
  ';a=\xe9',
  ';a="\\""',
  ',a',
  ';a=b=c',
  ';\n',
  ';a\r',
]
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r', '', '\r\n\r\n', ' \r\n']
const ODD_BYTES = '\0\t\n\v\f\r !",/:;=\x7f\x80\x85\xa0\xff059afgAXx'

/** Mostly right, sometimes wrong in one place or two, sometimes damaged beyond. */
export function createAnswer(seeded: Seeded): UpstreamAnswer {
  const oddness = seeded.pick([0, 0, 0, 0.02, 0.05, 0.2])
  const damages = seeded.chance(0.4) ? 1 + seeded.below(3) : 0
  const method = seeded.chance(0.1) ? 'HEAD' : 'GET'
  const writer = createWriter(seeded, oddness)
  let text = ''
  while (seeded.chance(0.08)) text += `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n`
  text += writeAnswer(writer, method)
  if (seeded.chance(0.05)) text += 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
  for (let i = 0; i < damages; i++) text = damage(seeded, text)
  return { method, bytes: Buffer.from(text, 'latin1'), isPlain: damages === 0 && !writer.isOdd() }
}

/** Chooses between what is right and, now and then, what is not, and remembers whether it did. */
function createWriter(seeded: Seeded, oddness: number) {
  let isOdd = false
  return {
    seeded,
    isOdd: () => isOdd,
    odd(): boolean {
      const chosen = oddness > 0 && seeded.chance(oddness)
      isOdd ||= chosen
      return chosen
    },
    either(usual: readonly string[], odd: readonly string[]): string {
      return seeded.pick(this.odd() ? odd : usual)
    },
    /** The end of a line. */
    end(): string {
      return this.odd() ? seeded.pick(LINE_ENDS) : '\r\n'
    },
  }
}

type Writer = ReturnType<typeof createWriter>

function writeAnswer(writer: Writer, method: 'GET' | 'HEAD'): string {
  const { seeded } = writer
  const status = writer.either(STATUSES, ODD_STATUSES)
  const framing = seeded.pick(['length', 'length', 'chunked', 'chunked', 'close'] as const)
  const body = writeBytes(seeded, seeded.below(seeded.pick([1, 10, 40, 300])))
  const lines: string[] = []
  for (let i = seeded.below(4); i > 0; i--)
    lines.push(`${seeded.pick(NAMES)}:${seeded.pick([' ', '', '\t '])}${seeded.pick(VALUES)}`)
  if (framing === 'length') lines.push(`${spell(seeded, 'Content-Length')}: ${body.length}`)
  if (framing === 'chunked') lines.push(`${spell(seeded, 'Transfer-Encoding')}: chunked`)
  while (writer.odd()) lines.splice(seeded.below(lines.length + 1), 0, seeded.pick(ODD_LINES))
  const statusLine = `${writer.either(['HTTP/1.1'], ODD_VERSIONS)} ${status} ${seeded.pick(REASONS)}`
  const head = [statusLine, ...lines].map((line) => line + writer.end()).join('') + writer.end()
  const isBodyless = method === 'HEAD' || status === '204' || status === '304'
  // What has no body has no body's bytes, or else they are a surplus.
  if (isBodyless && !writer.odd()) return head
  return head + (framing === 'chunked' ? writeChunks(writer, body) : body)
}

function writeChunks(writer: Writer, body: string): string {
  const { seeded } = writer
  const extension = () => writer.either(EXTENSIONS, ODD_EXTENSIONS)
  let text = ''
  for (let at = 0; at < body.length;) {
    const chunk = body.slice(at, at + 1 + seeded.below(seeded.pick([1, 5, 50])))
    at += chunk.length
    const hex = chunk.length.toString(16)
    const size = writer.either([hex, hex.toUpperCase(), `0${hex}`], ODD_SIZES)
    text += `${size}${extension()}${writer.end()}${chunk}${writer.end()}`
  }
  text += `${writer.either(['0', '0', '000'], ODD_SIZES)}${extension()}${writer.end()}`
  while (seeded.chance(0.2)) text += `${seeded.pick(NAMES)}: ${seeded.pick(VALUES)}${writer.end()}`
  while (writer.odd()) text += seeded.pick(ODD_LINES) + writer.end()
  return text + writer.end()
}

function spell(seeded: Seeded, name: string): string {
  return seeded.pick([name, name.toLowerCase(), name.toUpperCase()])
}

function writeBytes(seeded: Seeded, length: number): string {
  const alphabet = seeded.pick(['xyz', 'x\r\n0', '\0\x80\xff\n'])
  return Array.from({ length }, () => alphabet[seeded.below(alphabet.length)]).join('')
}

/** One accident: a byte lost, changed or put in, a piece lost, doubled, moved or cut off, two lines swapped. */
function damage(seeded: Seeded, text: string): string {
  const at = seeded.below(text.length + 1)
  const to = Math.min(text.length, at + 1 + seeded.below(12))
  const byte = () => ODD_BYTES[seeded.below(ODD_BYTES.length)] as string
  const [before, piece, after] = [text.slice(0, at), text.slice(at, to), text.slice(to)]
  switch (seeded.below(8)) {
    case 0:
      return before + text.slice(at + 1)
    case 1:
      return before + byte() + text.slice(at + 1)
    case 2:
      return before + byte() + text.slice(at)
    case 3:
      return before + after
    case 4:
      return before + piece + piece + after
    case 5:
      return before
    case 6: {
      const lines = text.split('\r\n')
      const [i, j] = [seeded.below(lines.length), seeded.below(lines.length)]
      ;[lines[i], lines[j]] = [lines[j] as string, lines[i] as string]
      return lines.join('\r\n')
    }
    default:
      return before + seeded.pick(ODD_LINES) + after
  }
}

/** Cuts the bytes at random, so that most pieces are short. */
export function cutBytes(seeded: Seeded, bytes: Buffer, longest: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = 1 + seeded.below(longest)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}
