// Writes the head of a request to an upstream. Names and values were checked where they came from; nothing is checked here.
import { firstValue } from '../http/headers.ts'
import type { UpstreamRequest } from './dispatch.ts'

export interface RequestHead {
  /** One character a byte, empty line included. */
  readonly text: string
  /** Bytes of body that the head announces; undefined when the body is chunked. */
  readonly contentLength: number | undefined
}

/** Methods of which servers expect a body, and so a length (RFC 9110 section 8.6). */
const EXPECT_BODY: readonly string[] = ['POST', 'PUT', 'PATCH']

export function toRequestHead({ method, target, headers, body }: UpstreamRequest): RequestHead {
  let text = `${method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i < headers.length; i += 2) {
    // biome-ignore lint/style/useTemplate: pieces put together first make it twice as slow to write
    text = text + headers[i] + ': ' + headers[i + 1] + '\r\n'
  }
  if (body === null && !EXPECT_BODY.includes(method))
    return { text: `${text}\r\n`, contentLength: 0 }
  const announced = firstValue(headers, 'content-length')
  if (announced !== undefined) return { text: `${text}\r\n`, contentLength: Number(announced) }
  return body === null
    ? { text: `${text}content-length: 0\r\n\r\n`, contentLength: 0 }
    : { text: `${text}transfer-encoding: chunked\r\n\r\n`, contentLength: undefined }
}
