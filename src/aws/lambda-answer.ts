// What the Invoke API answered, as the HTTP answer that the function meant (payload format 2.0). A problem never repeats what the
// function wrote.
import { isUtf8 } from 'node:buffer'
import { firstValue } from '../http/headers.ts'
import {
  isBodyless,
  isRecord,
  type LambdaHead,
  type LambdaProblem,
  readLambdaHead,
} from './lambda-head.ts'

export interface LambdaAnswer extends LambdaHead {
  readonly body: Buffer
}

/** Why there is no function's answer: too much is going on, this caller may not invoke it, or something else is wrong. */
export interface InvokeFailure {
  readonly kind: 'overloaded' | 'denied' | 'protocol'
  /** For the log alone. */
  readonly detail: string
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** What a status other than 200 of the Invoke API itself means: it is never the function's (Invoke, "Errors"). */
export function toInvokeFailure(status: number): InvokeFailure {
  const detail = `the Invoke API answered ${status}`
  if (status === 403) return { kind: 'denied', detail }
  const isOverloaded = status === 429 || (status >= 500 && status <= 599)
  return { kind: isOverloaded ? 'overloaded' : 'protocol', detail }
}

/**
 * @param status of the Invoke API
 * @param functionError its x-amz-function-error: the function threw, ran out of time or memory, or never started
 */
export function readLambdaAnswer(
  status: number,
  functionError: string | undefined,
  body: Buffer,
): LambdaAnswer | LambdaProblem {
  if (status !== 200) return { problem: toInvokeFailure(status).detail }
  if (functionError !== undefined) return { problem: 'the function failed' }
  const answer = parseJson(body)
  if (answer === undefined) return { problem: 'the function gave no JSON' }
  if (!isRecord(answer.value) || !Object.hasOwn(answer.value, 'statusCode')) {
    return toAnswer({ status: 200, headers: ['content-type', 'application/json'] }, body)
  }
  const head = readLambdaHead(answer.value)
  if ('problem' in head) return head
  const content = readBody(answer.value)
  if (content === undefined) return { problem: 'the function gave a body that is no text' }
  return toAnswer(head, content)
}

/** In a box, so that `null` can be told from nothing. */
function parseJson(body: Buffer): { readonly value: unknown } | undefined {
  if (!isUtf8(body)) return undefined
  try {
    return { value: JSON.parse(body.toString('utf8')) }
  } catch {
    return undefined
  }
}

/** Undefined unless it is text, or base64 where the function says so. */
function readBody({
  body,
  isBase64Encoded,
}: Readonly<Record<string, unknown>>): Buffer | undefined {
  const coded = isBase64Encoded ?? false
  if (typeof coded !== 'boolean') return undefined
  if (body === undefined || body === null) return Buffer.alloc(0)
  if (typeof body !== 'string') return undefined
  if (!coded) return Buffer.from(body, 'utf8')
  // Node would skip whatever is no base64, and pass on something else than was meant.
  return body.length % 4 === 0 && BASE64.test(body) ? Buffer.from(body, 'base64') : undefined
}

function toAnswer({ status, headers }: LambdaHead, body: Buffer): LambdaAnswer {
  if (isBodyless(status)) {
    const length = status === 205 ? ['content-length', '0'] : []
    return { status, headers: [...headers, ...length], body: Buffer.alloc(0) }
  }
  const lines = [...headers]
  // A function URL says so too; a browser that is told nothing takes what looks like HTML for HTML.
  if (body.length > 0 && firstValue(lines, 'content-type') === undefined) {
    lines.push('content-type', 'application/json')
  }
  lines.push('content-length', String(body.length))
  return { status, headers: lines, body }
}
