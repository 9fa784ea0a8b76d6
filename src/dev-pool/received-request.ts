// What the demo upstream saw of one request, fit to be shown: identity headers decoded, credentials shortened.
import type { IncomingMessage } from 'node:http'

export interface ReceivedRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly ReceivedHeader[]
  readonly body: ReceivedBody
}

export interface ReceivedHeader {
  readonly name: string
  readonly value: string
  /** Only for identity headers (x-auth-*): the claim's value or values. */
  readonly decoded?: readonly string[]
}

export interface ReceivedBody {
  readonly bytes: number
  /** The first KiB. */
  readonly text: string
}

const SHOWN_BYTES = 1024

/** Reads the whole body but keeps its beginning only. Rejects when the client breaks off. */
export async function receiveRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const { method = '', url = '', rawHeaders } = request
  const headers: ReceivedHeader[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.push(toHeader(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''))
  }
  return { method, target: url, headers, body: await readBeginning(request) }
}

async function readBeginning(request: IncomingMessage): Promise<ReceivedBody> {
  let bytes = 0
  let kept = Buffer.alloc(0)
  for await (const chunk of request) {
    bytes += chunk.length
    if (kept.length < SHOWN_BYTES) kept = Buffer.concat([kept, chunk]).subarray(0, SHOWN_BYTES)
  }
  // With `stream`, a character that the cut splits is left out.
  return { bytes, text: new TextDecoder().decode(kept, { stream: true }) }
}

function toHeader(name: string, value: string): ReceivedHeader {
  const folded = name.toLowerCase()
  if (folded === 'authorization') return { name, value: shortenCredential(value) }
  return folded.startsWith('x-auth-')
    ? { name, value, decoded: decodeList(value) }
    : { name, value }
}

/** A token's beginning tells tokens apart; its signature, or any other kind of credential, is never shown. */
function shortenCredential(value: string): string {
  const [, scheme = '', credential = ''] = /^([A-Za-z0-9-]+) +(.*)$/.exec(value) ?? []
  const isToken = /^bearer$/i.test(scheme) && credential.split('.').length === 3
  const beginning = isToken ? (credential.split('.', 1)[0] ?? '').slice(0, 12) : ''
  return `${scheme} ${beginning}…`.trimStart()
}

/** Members are joined with commas and hold none themselves. */
function decodeList(value: string): readonly string[] {
  return value.split(',').map((member) => {
    try {
      return decodeURIComponent(member)
    } catch {
      return member
    }
  })
}
