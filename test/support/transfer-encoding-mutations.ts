// Every way to write `Transfer-Encoding: chunked` so that one reader takes it and another does not.

export interface Mutation {
  readonly name: string
  /** Field lines with their line ends. */
  readonly lines: string
  /** Readers agree after all: optional white space around the value, and the case of letters. */
  readonly sound: boolean
}

const NAME = 'Transfer-Encoding'
const CODES = [...range(0x00, 0x20), ...range(0x7f, 0xff)]

export function createTransferEncodingMutations(): Mutation[] {
  return [...byBytes(), ...bySpelling(), ...bySecondLine()]
}

/** A control or high byte at each place of the line. */
function byBytes(): Mutation[] {
  return CODES.flatMap((code) => {
    const byte = String.fromCharCode(code)
    const shown = `0x${code.toString(16).padStart(2, '0')}`
    const isBlank = code === 0x20 || code === 0x09
    return [
      toMutation(`${shown} before the name`, `${byte}${NAME}: chunked`),
      toMutation(`${shown} after the name`, `${NAME}${byte}: chunked`),
      toMutation(`${shown} before the value`, `${NAME}:${byte}chunked`, isBlank),
      toMutation(`${shown} after the value`, `${NAME}: chunked${byte}`, isBlank),
    ]
  })
}

const VALUES = [
  '',
  '"chunked"',
  "'chunked'",
  '`chunked`',
  '(chunked)',
  'chunked;q=1',
  'chunked; x',
  'chunked,',
  ',chunked',
  ', chunked',
  'chunked, chunked',
  'chunked, identity',
  'identity, chunked',
  'gzip, chunked',
  'identity',
  'cow',
  'xchunked',
  'chunkedx',
  'chunk',
  'chunked chunked',
  'chun\tked',
  'chunke\u0064\u0301',
  '%63hunked',
  '\r\n chunked',
  '\r\n\tchunked',
  'chunked\r\n ',
  'chunked\r\n\t, identity',
  '\n chunked',
  'chunked\rX: y',
  'chunked\nX: y',
]
const NAMES = [
  'Transfer_Encoding',
  'Transfer.Encoding',
  'Transfer Encoding',
  'Transfer-Encodin',
  ' Transfer-Encoding',
  '\tTransfer-Encoding',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  'X: y\r\n Transfer-Encoding',
  'X:\nTransfer-Encoding',
  ':Transfer-Encoding',
  '"Transfer-Encoding"',
  'Transfer-%45ncoding',
]

function bySpelling(): Mutation[] {
  return [
    ...VALUES.map((value) => toMutation(`value ${JSON.stringify(value)}`, `${NAME}: ${value}`)),
    ...NAMES.map((name) => toMutation(`name ${JSON.stringify(name)}`, `${name}: chunked`)),
    toMutation('capital value', `${NAME}: CHUNKED`, true),
    toMutation('capital name', 'TRANSFER-ENCODING: chunked', true),
    toMutation('no space', `${NAME}:chunked`, true),
  ]
}

function bySecondLine(): Mutation[] {
  const seconds = ['chunked', 'identity', 'cow', '', 'gzip', 'CHUNKED']
  return seconds.flatMap((second) => [
    toMutation(`chunked, then ${second}`, `${NAME}: chunked\r\n${NAME}: ${second}`),
    toMutation(`${second}, then chunked`, `transfer-encoding: ${second}\r\n${NAME}: chunked`),
  ])
}

function toMutation(name: string, lines: string, sound = false): Mutation {
  return { name, sound, lines: `${lines}\r\n` }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
