// Asks one target now and then whether it is well, on a connection of its own, so that checks wait for no request and no request
// for a check.
import type { Clock, Timer } from '../base/clock.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { Target } from './target.ts'

export interface HealthCheckSettings {
  /** Path and query. */
  readonly path: string
  readonly host: string | undefined
  readonly intervalMs: number
  /** For a whole response, connection included. */
  readonly timeoutMs: number
  /** Checks in a row that make an unhealthy target healthy. */
  readonly healthy: number
  /** Checks in a row that make a healthy target unhealthy. */
  readonly unhealthy: number
  /** First and last of the statuses that say it is well. */
  readonly status: readonly (readonly [number, number])[]
}

export interface HealthCheckPorts {
  readonly clock: Pick<Clock, 'after'>
  /** Evenly spread in [0, 1). */
  readonly random: () => number
  /** Every check that is over; `problem` is '' where it went well. */
  readonly checked: (problem: string) => void
  /** It is well, or it is not, for as many checks as that takes; `why` is the last problem. */
  readonly settled: (isHealthy: boolean, why: string) => void
}

/** What a health endpoint may say; more is something else. */
const MAX_BYTES = 64 * 1024

/** Part of the interval by which it is made longer or shorter, so that many gateways do not ask together. */
const JITTER = 0.1

export interface HealthCheck {
  stop(): void
}

/** Begins at once. The very first check settles it alone. */
export function startHealthCheck(
  target: Pick<Target, 'origin' | 'dispatch'>,
  settings: HealthCheckSettings,
  { clock, random, checked, settled }: HealthCheckPorts,
): HealthCheck {
  const request = toRequest(target.origin, settings)
  let isHealthy: boolean | undefined
  let contrary = 0
  let timer: Timer | undefined
  let call: UpstreamCall | undefined
  let isStopped = false

  function conclude(problem: string): void {
    timer?.cancel()
    // A response that says too much goes on.
    call?.abort()
    call = undefined
    checked(problem)
    const isWell = problem === ''
    contrary = isWell === isHealthy ? 0 : contrary + 1
    const enough = isWell ? settings.healthy : settings.unhealthy
    if (isHealthy === undefined || contrary >= enough) {
      isHealthy = isWell
      contrary = 0
      settled(isWell, problem)
    }
    if (isStopped) return
    timer = clock.after(settings.intervalMs * (1 + JITTER * (2 * random() - 1)), check)
  }

  function check(): void {
    const sink = createVerdictSink(settings, conclude)
    timer = clock.after(settings.timeoutMs, () => {
      call?.abort()
      sink.failed({ kind: 'timeout', detail: `no whole response within ${settings.timeoutMs} ms` })
    })
    const begun = target.dispatch(request, sink)
    if (sink.isOver()) begun.abort()
    else call = begun
  }

  check()
  return {
    stop() {
      isStopped = true
      timer?.cancel()
      call?.abort()
    },
  }
}

function toRequest(origin: string, { path, host }: HealthCheckSettings): UpstreamRequest {
  const authority = host ?? (origin.startsWith('unix:') ? 'localhost' : new URL(origin).host)
  const headers = ['Host', authority, 'User-Agent', 'poolgate-health-check', 'Accept', '*/*']
  return { method: 'GET', target: path, headers, body: null }
}

interface VerdictSink extends ResponseSink {
  isOver(): boolean
}

/** Hears a response to its end and says once what is wrong with it, or ''. */
function createVerdictSink(
  { status: wanted }: HealthCheckSettings,
  conclude: (problem: string) => void,
): VerdictSink {
  let problem = 'no response'
  let bytes = 0
  let isOver = false
  const end = (verdict: string) => {
    if (isOver) return
    isOver = true
    conclude(verdict)
  }
  return {
    isOver: () => isOver,
    informed: () => undefined,
    head(status) {
      const isWanted = wanted.some(([first, last]) => status >= first && status <= last)
      problem = isWanted ? '' : `status ${status}`
    },
    data(chunk) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) end(`more than ${MAX_BYTES} bytes`)
      return true
    },
    ended: () => end(problem),
    failed: ({ kind, detail }) => end(`${kind}: ${detail}`),
  }
}
