// What the dev pool's endpoints take and give: a request whose small body is read already, and an answer yet to be written.
import type { IncomingHttpHeaders } from 'node:http'

export interface PoolRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Of a POST, as UTF-8; else empty. */
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export type Endpoint = (request: PoolRequest) => Answer | Promise<Answer>

/** By path, then by method; GET answers HEAD too. */
export type Endpoints = ReadonlyMap<string, Readonly<Record<string, Endpoint>>>

export function toText(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}

export function toJson(status: number, document: object, headers = {}): Answer {
  return { status, contentType: 'application/json', body: JSON.stringify(document), headers }
}

/** 302 after a GET; 303 after a POST, so that a form is never sent on (RFC 9700 section 4.12). */
export function redirectTo(location: string, status: 302 | 303 = 302): Answer {
  return { ...toText(status, location), headers: { location } }
}

export function notAllowed(methods: string): Answer {
  return { ...toText(405, 'method not allowed'), headers: { allow: methods } }
}
