// A configured upstream: where allowed requests go. Nothing is dispatched without an Allow, and nothing is sent twice that could do
// anything twice.
import type { Clock } from '../base/clock.ts'
import { firstValue } from '../http/headers.ts'
import type { Allow } from '../policy/decision.ts'
import { type Balance, createBalancer } from './balancer.ts'
import { BalancedCall, type BalancedCallPorts } from './balanced-call.ts'
import { createLookUp, type DiscoverSettings } from './create-look-up.ts'
import { DeadlineCall } from './deadline-call.ts'
import { createDiscovery, type DiscoveryEvent } from './discovery.ts'
import { NO_CALL, type ResponseSink, type UpstreamCall, type UpstreamRequest } from './dispatch.ts'
import type { MayResend, TargetAddress } from './engine.ts'
import type { HealthCheckSettings } from './health-check.ts'
import { createHealthChecks } from './health-checks.ts'
import { createRetryBudget, type RetryBudget } from './retry-budget.ts'
import { NEVER } from './sweep.ts'
import { createTarget, type Target, type TargetSettings } from './target.ts'
import {
  createTargetHealth,
  type EjectionSettings,
  type StateOf,
  type TargetState,
} from './target-health.ts'
import { createTargetSet } from './target-set.ts'

export interface UpstreamSettings extends Omit<TargetSettings, keyof TargetAddress> {
  readonly name: string
  /** Scheme, host and port of each; none where they are to be discovered. */
  readonly targets: readonly string[]
  readonly discover?: DiscoverSettings | undefined
  readonly balance: Balance
  /** What `hash` goes by: `subject`, or a header in lower case. */
  readonly hashOn: string
  readonly ejection: EjectionSettings
  /** Undefined where targets are not checked. */
  readonly health?: HealthCheckSettings | undefined
  /** From dispatch to the end of the response; Infinity for as long as it takes. */
  readonly totalMs: number
}

export interface UpstreamPorts {
  readonly clock: Clock
  readonly random: () => number
  /** What becomes of looking for targets. */
  readonly discovered: (upstream: string, event: DiscoveryEvent) => void
  /** A target of an upstream is in another state. */
  readonly healthChanged: (
    upstream: string,
    origin: string,
    state: TargetState,
    why: string,
  ) => void
}

/** One target as operators see it. */
export interface TargetReport extends StateOf {
  readonly origin: string
  /** Requests that it has at present. */
  readonly active: number
}

export interface UpstreamReport {
  readonly name: string
  readonly targets: readonly TargetReport[]
  readonly states: Readonly<Record<TargetState, number>>
  /** Whether targets get requests that should not, because no other is left. */
  readonly isPanicking: boolean
  /** Counts since it began. */
  readonly ejections: number
  readonly retries: number
  readonly checks: { readonly success: number; readonly failure: number }
}

export interface Upstream {
  readonly name: string
  /** Its targets at present; none where it has yet to find them. */
  targets(): readonly Target[]
  /** Whether it can be asked at all. */
  ready(): boolean
  report(): UpstreamReport
  dispatch(allow: Allow, request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

export function createUpstream(settings: UpstreamSettings, ports: UpstreamPorts): Upstream {
  const {
    name,
    targets: origins,
    discover,
    balance,
    hashOn,
    ejection,
    health,
    totalMs,
    ...rest
  } = settings
  const budget = createRetryBudget(ports.clock)
  let retries = 0
  const mayRetry = () => {
    const isWithin = budget.spend()
    if (isWithin) retries++
    return isWithin
  }
  const mayResend: MayResend = (sink) =>
    sink instanceof BalancedCall ? sink.mayResend() : mayRetry()
  const targets = createTargetSet(
    (address) => createTarget({ ...rest, ...address }, ports.clock, mayResend),
    ports.clock,
  )
  const states = createTargetHealth<Target>(ejection, health !== undefined, {
    clock: ports.clock,
    changed: ({ origin }, state, why) => ports.healthChanged(name, origin, state, why),
  })
  const checks =
    health &&
    createHealthChecks(health, {
      ...ports,
      createProbe: ({ address }) => createProbe({ ...rest, ...address }, health, ports.clock),
      settled: states.checked,
    })

  function replace(addresses: readonly TargetAddress[]): void {
    const present = targets.replace(addresses)
    states.replace(present)
    checks?.replace(present)
  }

  function balanced(): Upstream['dispatch'] {
    const choose = createBalancer<Target>(balance, ports.random)
    const callPorts: BalancedCallPorts = {
      choose(not) {
        const others = states.candidates().filter((target) => target !== not)
        return others.length === 0 ? undefined : choose(others, undefined)
      },
      succeeded: states.succeeded,
      failed: states.failed,
      mayRetry,
    }
    return (allow, request, sink) => {
      const candidates = states.candidates()
      if (candidates.length === 0) {
        const detail = `no target is known yet: ${discovery?.problem()}`
        sink.failed({ kind: 'unreachable', detail })
        return NO_CALL
      }
      budget.earn()
      const call = new BalancedCall(request, sink, callPorts)
      const key = balance === 'hash' ? keyOf(allow, request, hashOn) : undefined
      call.begin(choose(candidates, key))
      return call
    }
  }

  replace(origins.map((target) => ({ target })))
  const discovery =
    discover === undefined
      ? undefined
      : createDiscovery(createLookUp(discover), discover.refreshMs, {
          ...ports,
          found: replace,
          told: (event) => ports.discovered(name, event),
        })
  function stop(): void {
    discovery?.stop()
    states.stop()
    checks?.stop()
  }
  const [only, ...others] = targets.present()
  const dispatch = only !== undefined && others.length === 0 ? toOnly(only, budget) : balanced()
  return {
    name,
    targets: targets.present,
    ready: () => targets.present().length > 0,
    report: () => ({
      name,
      targets: targets.present().map((target) => ({
        origin: target.origin,
        active: target.active(),
        ...states.stateOf(target),
      })),
      states: states.states(),
      isPanicking: states.isPanicking(),
      ejections: states.ejections(),
      retries,
      checks: checks?.counts() ?? { success: 0, failure: 0 },
    }),
    dispatch(allow, request, sink) {
      const boundMs = request.timeouts === undefined ? totalMs : request.timeouts.totalMs
      if (boundMs === NEVER) return dispatch(allow, request, sink)
      const call = new DeadlineCall(sink, boundMs, ports.clock)
      return call.begin((bounded) => dispatch(allow, request, bounded))
    },
    close() {
      stop()
      return targets.close()
    },
    destroy() {
      stop()
      return targets.destroy()
    },
  }
}

/** Nothing is put between: a request that is lost with its kept connection is sent again by the engine. */
function toOnly(target: Target, budget: RetryBudget): Upstream['dispatch'] {
  return (_allow, request, sink) => {
    budget.earn()
    return target.dispatch(request, sink)
  }
}

/** The same target, on a connection of its own and with the times of a check. */
function createProbe(
  settings: TargetSettings,
  { timeoutMs }: HealthCheckSettings,
  clock: Clock,
): Target {
  const times = { connectMs: timeoutMs, responseMs: timeoutMs, idleMs: timeoutMs }
  return createTarget({ ...settings, ...times, connections: 1, queue: 1 }, clock)
}

/** Undefined where there is nothing to go by. */
function keyOf(allow: Allow, { headers }: UpstreamRequest, hashOn: string): string | undefined {
  const key = hashOn === 'subject' ? allow.principal?.subject : firstValue(headers, hashOn)
  return key === '' ? undefined : key
}
