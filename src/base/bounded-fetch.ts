// Asks one question of a configured URL: bounded in time and size, TLS verified, no redirect followed, and on a connection of its
// own, so that nothing is shared with upstreams. What the other side does wrong becomes a message that repeats nothing it sent.
import { Client, type Dispatcher } from 'undici'
import type { Clock } from './clock.ts'

export interface FetchLimits {
  readonly clock: Clock
  /** Milliseconds for all of it, from the name look-up to the last byte. */
  readonly deadlineMs: number
  /** Bytes of body that are read at most. */
  readonly maxBytes: number
}

export interface Question {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Answer = Dispatcher.ResponseData

export interface Unanswered {
  readonly ok: false
  readonly message: string
}

/** The part of fetch's shape that an OAuth client needs. */
export type BoundedFetch = (
  url: string,
  options: Omit<Question, 'body'> & { readonly body?: unknown },
) => Promise<Response>

const MAX_HEADER_BYTES = 16 * 1024

/** What a Response may not have a body with (Fetch Standard, "null body status"). */
const WITHOUT_BODY = [204, 205, 304]

/**
 * fetch for a library that takes one. Rejects, as fetch does, where there is no answer or one beyond the limits.
 */
export function createBoundedFetch(limits: FetchLimits): BoundedFetch {
  return async (url, { method, headers, body }) => {
    const question = { method, headers, ...(body !== undefined && { body: String(body) }) }
    const response = await ask(url, question, limits, async (answer) => {
      const bytes = await readBody(answer, limits.maxBytes)
      if (!Buffer.isBuffer(bytes)) return bytes
      const { statusCode: status } = answer
      const content = WITHOUT_BODY.includes(status) ? null : Uint8Array.from(bytes)
      return new Response(content, { status, headers: toFields(answer.headers) })
    })
    if (response instanceof Response) return response
    throw new Error(response.message)
  }
}

/** Puts `question` to `url` (http or https, without user information); what `read` makes of the answer, in time. */
export async function ask<T>(
  url: string,
  question: Question,
  limits: FetchLimits,
  read: (answer: Answer) => Promise<T | Unanswered>,
): Promise<T | Unanswered> {
  const target = URL.parse(url)
  if (target === null || !isFetchable(target)) {
    return unanswered('not an http or https URL without user information')
  }
  const client = createClient(target.origin, limits.deadlineMs)
  const expiry = new AbortController()
  const timer = limits.clock.after(limits.deadlineMs, () => expiry.abort())
  try {
    const answer = await client.request({
      method: question.method,
      path: target.pathname + target.search,
      headers: { ...question.headers, 'accept-encoding': 'identity' },
      body: question.body ?? null,
      signal: expiry.signal,
    })
    answer.body.on('error', () => undefined)
    return await read(answer)
  } catch (error) {
    if (expiry.signal.aborted) return unanswered(`no answer in ${limits.deadlineMs} ms`)
    return toUnanswered(error)
  } finally {
    timer.cancel()
    await client.destroy()
  }
}

/** The whole body, which must not be encoded. */
export async function readBody(answer: Answer, maxBytes: number): Promise<Buffer | Unanswered> {
  if (answer.headers['content-encoding'] !== undefined) {
    return unanswered('answered with a Content-Encoding')
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) return unanswered(`answered with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

export function unanswered(message: string): Unanswered {
  return { ok: false, message }
}

function isFetchable(target: URL): boolean {
  const isHttp = target.protocol === 'https:' || target.protocol === 'http:'
  return isHttp && target.username === '' && target.password === ''
}

/** undici's own time-outs start anew with every byte; they are off the table once the deadline holds. */
function createClient(origin: string, deadlineMs: number): Client {
  return new Client(origin, {
    allowH2: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: { timeout: deadlineMs },
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

function toFields(headers: Answer['headers']): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((line): [string, string] => [name, line]),
  )
}

/** undici's and Node's own words, with their code. */
function toUnanswered(error: unknown): Unanswered {
  const { code = '', message } = error as { code?: string; message: string }
  return unanswered(message.includes(code) ? message : `${message} (${code})`)
}
