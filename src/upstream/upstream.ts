// A configured upstream: where allowed requests go. Nothing is dispatched without an Allow, and nothing is sent twice that could do
// anything twice.
import type { Clock } from '../base/clock.ts'
import { firstValue } from '../http/headers.ts'
import type { Allow } from '../policy/decision.ts'
import { type Balance, createBalancer } from './balancer.ts'
import { BalancedCall, type BalancedCallPorts } from './balanced-call.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import { createEjections, type EjectionSettings } from './ejection.ts'
import { createRetryBudget } from './retry-budget.ts'
import { createTarget, type Target, type TargetSettings } from './target.ts'

export interface UpstreamSettings extends Omit<TargetSettings, 'target'> {
  readonly name: string
  /** Scheme, host and port of each; one at least. */
  readonly targets: readonly string[]
  readonly balance: Balance
  /** What `hash` goes by: `subject`, or a header in lower case. */
  readonly hashOn: string
  readonly ejection: EjectionSettings
}

export interface UpstreamPorts {
  readonly clock: Clock
  readonly random: () => number
}

export interface Upstream {
  readonly name: string
  dispatch(allow: Allow, request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

export function createUpstream(settings: UpstreamSettings, ports: UpstreamPorts): Upstream {
  const { name, targets: origins, balance, hashOn, ejection, ...rest } = settings
  const targets = origins.map((target) => createTarget({ ...rest, target }, ports.clock))
  const ejections = createEjections(targets, ejection, ports.clock)
  const all = async (end: (target: Target) => Promise<void>) => {
    ejections.stop()
    await Promise.all(targets.map(end))
  }

  function balanced(): Upstream['dispatch'] {
    const choose = createBalancer<Target>(balance, ports.random)
    const budget = createRetryBudget(ports.clock)
    const callPorts: BalancedCallPorts = {
      choose(not) {
        const others = ejections.candidates().filter((target) => target !== not)
        return others.length === 0 ? undefined : choose(others, undefined)
      },
      succeeded: ejections.succeeded,
      failed: ejections.failed,
      mayRetry: budget.spend,
    }
    return (allow, request, sink) => {
      budget.earn()
      const call = new BalancedCall(request, sink, callPorts)
      const key = balance === 'hash' ? keyOf(allow, request, hashOn) : undefined
      call.begin(choose(ejections.candidates(), key))
      return call
    }
  }

  return {
    name,
    dispatch: targets.length === 1 ? toOnly(targets[0] as Target) : balanced(),
    close: () => all((target) => target.close()),
    destroy: () => all((target) => target.destroy()),
  }
}

function toOnly(target: Target): Upstream['dispatch'] {
  return (_allow, request, sink) => target.dispatch(request, sink)
}

/** Undefined where there is nothing to go by. */
function keyOf(allow: Allow, { headers }: UpstreamRequest, hashOn: string): string | undefined {
  const key = hashOn === 'subject' ? allow.principal?.subject : firstValue(headers, hashOn)
  return key === '' ? undefined : key
}
