// What AWS says of a refusal, in JSON or XML, for the log: a code and some words, and never anything that could be a secret.

export interface AwsError {
  /** Such as `AccessDenied`, to be judged by and not to be shown; '' where there is none. */
  readonly code: string
  /** The same, to be shown; '' where it could repeat a token. */
  readonly shown: string
  /** In AWS's words; '' where they could repeat a token or a key. */
  readonly words: string
}

/** @param text the body, or its beginning @param tokens what must not be repeated, not even in part */
export function readAwsError(text: string, tokens: readonly string[] = []): AwsError {
  const code = firstOf(text, /"__type"\s*:\s*"(?:[^"#]*#)?(\w+)"/, /<Code>(\w+)<\/Code>/)
  const written = /"[Mm]essage"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1]
  const words = written === undefined ? firstOf(text, /<Message>([^<]*)</) : unquote(written)
  const isName = /^[A-Za-z]{1,64}$/.test(code)
  return { code, shown: isName ? toSaid(code, tokens) : '', words: toSaid(words, tokens) }
}

function firstOf(text: string, ...patterns: readonly RegExp[]): string {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return ''
}

function unquote(json: string): string {
  try {
    return String(JSON.parse(json))
  } catch {
    return ''
  }
}

/** What AWS says helps whoever set it up; never where it says a piece of a token again. */
function toSaid(words: string, tokens: readonly string[]): string {
  const plain = words.slice(0, 200).replace(/[^ -~]/g, ' ')
  const pieces = plain.match(/[A-Za-z0-9]{8,}/g) ?? []
  const repeats = tokens.some(
    (token) => plain.includes(token) || pieces.some((piece) => token.includes(piece)),
  )
  return repeats || /eyJ|A[KS]IA|[A-Za-z0-9_+/=.-]{80}/.test(plain) ? '' : plain
}
