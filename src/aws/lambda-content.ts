// The payload of a streaming function: its own head, where it wrote one (awslambda.HttpResponseStream), then content. Holds no more
// than that head, and none of the memory that it is lent.
import { firstValue } from '../http/headers.ts'
import {
  isBodyless,
  isRecord,
  type LambdaHead,
  type LambdaProblem,
  readLambdaHead,
} from './lambda-head.ts'

export interface ContentSink {
  head(status: number, headers: string[]): void
  data(chunk: Buffer): void
}

export interface LambdaContent {
  /** What is wrong with it, or undefined. Nothing is to be added after a problem. */
  add(chunk: Buffer): LambdaProblem | undefined
  /** To be told when all has been added: an answer may have no content. */
  close(): LambdaProblem | undefined
}

const HEAD_BYTES = 64 * 1024
const DELIMITER = Buffer.alloc(8)
const UNTYPED = ['content-type', 'application/octet-stream']
const NO_HEAD: LambdaProblem = { problem: 'the function gave no head before its content' }

/** @param isHttpIntegration whether the payload begins with a head: at most 64 KiB of JSON, and eight NUL bytes */
export function createLambdaContent(sink: ContentSink, isHttpIntegration: boolean): LambdaContent {
  let status: number | undefined
  const begin = (head: LambdaHead): void => {
    status = head.status
    sink.head(head.status, head.headers)
  }
  const pass = (chunk: Buffer): void => {
    if (chunk.length > 0 && !isBodyless(status as number)) sink.data(chunk)
  }
  const collect = createCollector()
  const addToHead = (chunk: Buffer): LambdaProblem | undefined => {
    const found = collect(chunk)
    if (found === undefined || 'problem' in found) return found
    const head = readHead(found.head)
    if ('problem' in head) return head
    begin(head)
    pass(found.rest)
    return undefined
  }
  const beginUntyped = (): void => {
    if (status === undefined && !isHttpIntegration) begin({ status: 200, headers: [...UNTYPED] })
  }
  return {
    add: (chunk) => {
      beginUntyped()
      if (status === undefined) return addToHead(chunk)
      pass(chunk)
      return undefined
    },
    close: () => {
      beginUntyped()
      return status === undefined ? NO_HEAD : undefined
    },
  }
}

interface Collected {
  readonly head: Buffer
  readonly rest: Buffer
}

/** Collects what stands before the delimiter, which JSON never holds; undefined while that goes on. */
function createCollector(): (chunk: Buffer) => Collected | LambdaProblem | undefined {
  let held = Buffer.alloc(0)
  let filled = 0
  return (chunk) => {
    if (held.length === 0) held = Buffer.allocUnsafe(HEAD_BYTES + DELIMITER.length)
    const before = filled
    filled += chunk.copy(held, filled)
    const from = Math.max(0, before - DELIMITER.length + 1)
    const at = held.subarray(0, filled).indexOf(DELIMITER, from)
    if (at >= 0) {
      return {
        head: held.subarray(0, at),
        rest: chunk.subarray(at + DELIMITER.length - before),
      }
    }
    return filled === held.length ? NO_HEAD : undefined
  }
}

function readHead(json: Buffer): LambdaHead | LambdaProblem {
  const written = parseObject(json)
  if (written === undefined) return { problem: 'the function gave a head that is no JSON object' }
  const head = readLambdaHead({ ...written, statusCode: written.statusCode ?? 200 })
  if ('problem' in head || firstValue(head.headers, 'content-type') !== undefined) return head
  return { status: head.status, headers: [...head.headers, ...UNTYPED] }
}

/** Undefined for anything but the JSON of an object, in UTF-8. */
export function parseObject(json: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
