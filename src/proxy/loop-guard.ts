// Finds requests that go round in a circle: the gateway's own name stands in their Via (RFC 9110 section 7.6.3).
import { listValue, type RawHeaders } from '../http/headers.ts'

export interface LoopGuard {
  /** What each forwarded request has in Via for this gateway. */
  readonly via: string
  isLooping(headers: RawHeaders): boolean
}

/** A service behind the gateway may pass a request through it once more; what comes again after that goes round. */
const MAX_PASSES = 2

/** @param random evenly spread in [0, 1); other gateways have other names, and a client can not guess it */
export function createLoopGuard(random: () => number): LoopGuard {
  const name = `poolgate-${Math.floor(random() * 2 ** 48).toString(16)}`
  return {
    via: `1.1 ${name}`,
    isLooping(headers) {
      const passed = listValue(headers, 'via') ?? ''
      return passed.split(name).length > MAX_PASSES
    },
  }
}
