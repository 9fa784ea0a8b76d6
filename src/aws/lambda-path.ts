// Where the Invoke API takes a function's event. Builds the target alone: it neither signs nor sends.
import { encodeStrictly } from './canonical-target.ts'

/** A name or ARN, whole or in part, and what stands behind its last colon where that is a version or alias. */
const FUNCTION =
  /^((?:(?:arn:[^:]+:lambda:[^:]+:)?\d{12}:function:|function:)?[A-Za-z0-9_-]+)(?::([^:]+))?$/

/**
 * Path and query of Invoke, or of InvokeWithResponseStream, percent-encoded as RFC 3986 has it and so as SigV4 takes it.
 * @param functionName name, partial ARN or ARN, with a version or alias behind it or without
 */
export function lambdaPath(functionName: string, streaming: boolean): string {
  const [, name = functionName, qualifier] = FUNCTION.exec(functionName) ?? []
  const path = streaming
    ? `/2021-11-15/functions/${encodeStrictly(name)}/response-streaming-invocations`
    : `/2015-03-31/functions/${encodeStrictly(name)}/invocations`
  return qualifier === undefined ? path : `${path}?Qualifier=${encodeStrictly(qualifier)}`
}
