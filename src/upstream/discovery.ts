// Looks for the targets of an upstream, again and again. An answer that does not come, or is empty, takes no target away: the last
// good one stays in force, however long it takes.
import { createBackoff } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { TargetAddress } from './engine.ts'

/** One way of finding targets. */
export interface LookUp {
  /** Rejects where there is no answer. */
  ask(signal: AbortSignal): Promise<Answer>
  /** Lets go of whatever it holds. */
  close(): void
}

export interface Answer {
  readonly targets: readonly TargetAddress[]
  /** How long the answer holds, where it says so. */
  readonly ttlMs?: number | undefined
  /** What was found and must not be a target, each with the reason. */
  readonly leftOut: readonly string[]
  /** What could not be asked, where the rest of the answer is good. */
  readonly problem?: string | undefined
}

export type DiscoveryEvent =
  | { readonly kind: 'found'; readonly targets: number }
  | { readonly kind: 'failing'; readonly problem: string }
  | { readonly kind: 'left out'; readonly what: readonly string[] }

export interface DiscoveryPorts {
  readonly clock: Clock
  readonly random: () => number
  /** Every good answer. */
  readonly found: (targets: readonly TargetAddress[]) => void
  /** Looking began or ceased to fail, or something else is left out. */
  readonly told: (event: DiscoveryEvent) => void
}

export interface Discovery {
  /** Why the last look failed. */
  problem(): string | undefined
  stop(): void
}

const DEADLINE_MS = 15_000
/** However long an answer says that it holds. */
const LONGEST_MS = 300_000
/** Messages may be as long as a service likes. */
const MAX_PROBLEM = 500

/** @param refreshMs between two looks at least, and between two that fail at most */
export function createDiscovery(
  lookUp: LookUp,
  refreshMs: number,
  { clock, random, found, told }: DiscoveryPorts,
): Discovery {
  const backoff = createBackoff(random)
  let problem: string | undefined = 'not asked yet'
  let isFailing: boolean | undefined
  let leftOut = ''
  let timer: Timer | undefined
  let current: AbortController | undefined
  let isStopped = false

  async function ask(): Promise<Answer> {
    const controller = new AbortController()
    current = controller
    const deadline = clock.after(DEADLINE_MS, () => controller.abort())
    try {
      return await lookUp.ask(controller.signal)
    } catch (error) {
      const why = controller.signal.aborted ? `no answer within ${DEADLINE_MS} ms` : toText(error)
      return { targets: [], leftOut: [], problem: why }
    } finally {
      deadline.cancel()
    }
  }

  function tell({ targets, leftOut: what, problem: why }: Answer): void {
    const failing = why !== undefined
    if (failing && isFailing !== true) told({ kind: 'failing', problem: why })
    if (!failing && isFailing !== false) told({ kind: 'found', targets: targets.length })
    isFailing = failing
    if (what.length > 0 && leftOut !== what.join()) told({ kind: 'left out', what })
    leftOut = what.join()
  }

  function toDelay({ targets, ttlMs = 0 }: Answer): number {
    if (targets.length === 0) return Math.min(backoff.nextMs(), refreshMs)
    backoff.reset()
    return Math.max(refreshMs, Math.min(ttlMs, LONGEST_MS))
  }

  async function look(): Promise<void> {
    const given = await ask()
    if (isStopped) return
    const isEmpty = given.targets.length === 0 && given.problem === undefined
    const answer = isEmpty ? { ...given, problem: 'the answer holds no target' } : given
    problem = answer.problem
    if (answer.targets.length > 0) found(answer.targets)
    tell(answer)
    timer = clock.after(toDelay(answer), () => void look())
  }

  void look()
  return {
    problem: () => problem,
    stop() {
      isStopped = true
      timer?.cancel()
      current?.abort()
      lookUp.close()
    },
  }
}

function toText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_PROBLEM)
}
