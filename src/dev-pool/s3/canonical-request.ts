// What AWS Signature Version 4 signs of a request to S3: written anew from AWS's documents, so that a mistake of the gateway's signer shows.

export interface SignedRequest {
  readonly method: string
  /** As it came. */
  readonly path: string
  /** Without its `?`. */
  readonly query: string
  /** By names in lower case; lines of one name joined with commas. */
  readonly headers: ReadonlyMap<string, string>
}

/** Undefined where path or query are not percent-encoded UTF-8. @param signed names in lower case */
export function toCanonicalRequest(
  { method, path, query, headers }: SignedRequest,
  signed: readonly string[],
  payloadHash: string,
): string | undefined {
  try {
    const lines = signed.map((name) => `${name}:${fold(headers.get(name) ?? '')}\n`)
    const names = signed.join(';')
    return [method, toPath(path), toQuery(query), lines.join(''), names, payloadHash].join('\n')
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Encoded once, and no segment is taken away: S3 alone does so. */
function toPath(path: string): string {
  return path.split('/').map(recode).join('/')
}

/** In the order of the encoded names, then values. */
function toQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '')
  const encoded = pairs.map((pair) => {
    const [name = '', ...rest] = pair.split('=')
    return [recode(name), recode(rest.join('='))] as const
  })
  const compare = (a: string, b: string) => Number(a > b) - Number(a < b)
  return encoded
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function recode(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function fold(value: string): string {
  return value.trim().replace(/ +/g, ' ')
}
