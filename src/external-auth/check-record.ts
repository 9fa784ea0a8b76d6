// What telemetry gets of a check: no connection of a client ends with it, so it is over once it is answered.
import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Decision } from '../policy/decision.ts'
import { givenId } from '../proxy/exchange.ts'
import { type ExchangeRecord, UNKNOWN } from '../telemetry/exchange-record.ts'

/** One check from its arrival to its answer; each part is filled in once it is known. */
export interface Check {
  id: string
  readonly startedAtMs: number
  readonly startedMonotonicMs: number
  readonly peer: string
  facts: RequestFacts | undefined
  decision: Decision | undefined
}

export function startCheck(id: string, peer: string, clock: Clock): Check {
  const [startedAtMs, startedMonotonicMs] = [clock.now(), clock.monotonic()]
  return { id, startedAtMs, startedMonotonicMs, peer, facts: undefined, decision: undefined }
}

export function received(check: Check, facts: RequestFacts): void {
  check.facts = facts
  check.id = givenId(facts.headers) ?? check.id
}

export interface Answered {
  readonly status: number
  /** Empty for an allowed request. */
  readonly reason: string
  readonly detail: string
}

export function toCheckRecord(
  check: Check,
  { status, reason, detail }: Answered,
  clock: Clock,
): ExchangeRecord {
  const { id, startedAtMs, startedMonotonicMs, peer, facts, decision } = check
  const principal = decision?.principal
  const durationMs = clock.monotonic() - startedMonotonicMs
  return {
    ...UNKNOWN,
    id,
    startedAtMs,
    endpoint: 'ext-authz-grpc',
    ...(facts && { method: facts.method, host: facts.host.authority, path: facts.target.path }),
    clientAddress: facts?.clientAddress ?? peer,
    status,
    ...(decision?.route && { route: decision.route.name, routeIndex: decision.route.index }),
    decision: reason === '' ? 'allow' : 'deny',
    reason,
    detail,
    ...(principal && {
      subject: principal.subject,
      userPool: principal.userPool,
      clientId: principal.clientId,
    }),
    durationMs,
    overheadMs: durationMs,
  }
}
