// Gets one JSON document from a configured URL: bounded in time and size, TLS verified, no redirect followed.
// Never throws for what the other side does, and shares no connection with anything else.
import { Client, type Dispatcher } from 'undici'
import type { Clock } from './clock.ts'

export type FetchJsonResult =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string }

export interface FetchJsonLimits {
  readonly clock: Clock
  /** Milliseconds for all of it, from the name look-up to the last byte. */
  readonly deadlineMs: number
  /** Bytes of body that are read at most. */
  readonly maxBytes: number
}

type Refused = Extract<FetchJsonResult, { ok: false }>

const MAX_HEADER_BYTES = 16 * 1024

/**
 * GETs `url` (http or https, without user information) and parses its body.
 * Only a 200 without any Content-Encoding is read; its Content-Type does not matter.
 */
export async function fetchJson(url: string, limits: FetchJsonLimits): Promise<FetchJsonResult> {
  const target = URL.parse(url)
  if (target === null || !isFetchable(target)) {
    return refused('not an http or https URL without user information')
  }
  const client = createClient(target.origin, limits.deadlineMs)
  const expiry = new AbortController()
  const timer = limits.clock.after(limits.deadlineMs, () => expiry.abort())
  try {
    return await readDocument(client, target, expiry.signal, limits.maxBytes)
  } catch (error) {
    if (expiry.signal.aborted) return refused(`no answer in ${limits.deadlineMs} ms`)
    return toRefused(error)
  } finally {
    timer.cancel()
    await client.destroy()
  }
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

async function readDocument(
  client: Client,
  target: URL,
  signal: AbortSignal,
  maxBytes: number,
): Promise<FetchJsonResult> {
  const { statusCode, headers, body } = await client.request({
    method: 'GET',
    path: target.pathname + target.search,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
  })
  body.on('error', () => undefined)
  if (statusCode !== 200) return refused(`answered ${statusCode}, not 200`)
  if (headers['content-encoding'] !== undefined) {
    return refused('answered with a Content-Encoding')
  }
  const bytes = await readAtMost(body, maxBytes)
  return bytes ? parseJson(bytes) : refused(`answered with more than ${maxBytes} bytes`)
}

/** Undefined when there is more than `maxBytes`. */
async function readAtMost(
  body: Dispatcher.ResponseData['body'],
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function parseJson(bytes: Buffer): FetchJsonResult {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return refused('answered with something that is not JSON')
  }
}

/** undici's and Node's own words, with their code. */
function toRefused(error: unknown): Refused {
  const { code = '', message } = error as { code?: string; message: string }
  return refused(message.includes(code) ? message : `${message} (${code})`)
}

function refused(message: string): Refused {
  return { ok: false, message }
}
