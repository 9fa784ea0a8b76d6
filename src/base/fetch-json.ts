// Gets one JSON document from a configured URL, within the bounds of bounded-fetch.
// Never throws for what the other side does.
import { ask, type FetchLimits, readBody, type Unanswered, unanswered } from './bounded-fetch.ts'

export type FetchJsonResult = { readonly ok: true; readonly value: unknown } | Unanswered

/**
 * GETs `url` (http or https, without user information) and parses its body.
 * Only a 200 without any Content-Encoding is read; its Content-Type does not matter.
 */
export async function fetchJson(url: string, limits: FetchLimits): Promise<FetchJsonResult> {
  const question = { method: 'GET', headers: { accept: 'application/json' } } as const
  return ask(url, question, limits, async (answer) => {
    if (answer.statusCode !== 200) return unanswered(`answered ${answer.statusCode}, not 200`)
    const bytes = await readBody(answer, limits.maxBytes)
    return Buffer.isBuffer(bytes) ? parseJson(bytes) : bytes
  })
}

function parseJson(bytes: Buffer): FetchJsonResult {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return unanswered('answered with something that is not JSON')
  }
}
