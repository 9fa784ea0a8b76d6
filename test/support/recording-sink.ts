// A sink that writes down what it hears of a response.
import type { ResponseSink } from '../../src/upstream/dispatch.ts'

export interface RecordingSink extends ResponseSink {
  /** One word for each call, and what it came with. */
  readonly heard: unknown[][]
  readonly done: Promise<void>
}

/** `flowing` answers each chunk. */
export function createRecordingSink(flowing: () => boolean = () => true): RecordingSink {
  const heard: unknown[][] = []
  const { promise: done, resolve } = Promise.withResolvers<void>()
  return {
    heard,
    done,
    informed: (status, headers) => void heard.push(['informed', status, headers]),
    head: (status, headers) => void heard.push(['head', status, headers]),
    data(chunk) {
      heard.push(['data', chunk.toString('latin1')])
      return flowing()
    },
    ended(trailers) {
      heard.push(['ended', trailers])
      resolve()
    },
    failed(failure) {
      heard.push(['failed', failure.kind])
      resolve()
    },
  }
}
