// Judges one check of Envoy's external authorization: facts, decision, verdict, record. Every check gets an answer, and whatever goes wrong
// is a denial.
import type { Clock } from '../base/clock.ts'
import type { Decision, Deny, DenyReason } from '../policy/decision.ts'
import { challenge, toExtras } from '../proxy/challenge.ts'
import type { DenialExtras } from '../proxy/denial-response.ts'
import { RESERVED } from '../proxy/obstacle.ts'
import type { Ruleset } from '../proxy/ruleset.ts'
import type { OwnPage } from '../session/own-page.ts'
import type { ExchangeRecord } from '../telemetry/exchange-record.ts'
import { createCheckReader } from './check-facts.ts'
import type { CheckRequest, CheckResponse } from './check-messages.ts'
import { type Check, received, startCheck, toCheckRecord } from './check-record.ts'
import { toAllowed, toDenied, toPermitted, toShown } from './check-verdict.ts'
import { checkAsker } from './original-facts.ts'

export interface CheckPorts {
  readonly clock: Clock
  readonly ruleset: () => Ruleset
  readonly nextId: () => string
  readonly started: () => void
  readonly ended: (record: ExchangeRecord) => void
  /** Something that cannot happen did; the check was denied. */
  readonly faulted: (error: unknown, check: Check) => void
}

/** Never rejects. @param peer the address of who asks; '' on a unix socket */
export type CheckHandler = (
  request: CheckRequest,
  peer: string,
) => CheckResponse | Promise<CheckResponse>

export function createCheckHandler(ports: CheckPorts): CheckHandler {
  const read = createCheckReader()

  function conclude(
    check: Check,
    decision: Decision,
    rules: Ruleset,
  ): CheckResponse | Promise<CheckResponse> {
    check.decision = decision
    const { id, facts } = check
    if (decision.kind === 'allow') {
      const response = toAllowed(facts!, decision, rules)
      end(check, 200)
      return response
    }
    if (decision.kind === 'preflight') {
      end(check, 204)
      return toPermitted(decision, id)
    }
    const page = challenge(facts!, decision, rules.signIns)
    if (page !== undefined) return page.then((made) => show(check, decision, made))
    return deny(check, decision, toExtras(facts!, decision, rules.signIns))
  }

  function show(check: Check, denied: Deny, page: OwnPage): CheckResponse {
    end(check, page.status, denied.reason, denied.detail)
    return toShown(page, denied.reason, check.id, denied.cookies)
  }

  function deny(
    check: Check,
    { reason, detail, cookies }: Pick<Deny, 'reason' | 'detail' | 'cookies'>,
    extras?: DenialExtras,
  ): CheckResponse {
    const response = toDenied(reason, check.id, extras, cookies)
    end(check, response.deniedResponse?.status.code ?? 0, reason, detail)
    return response
  }

  function end(check: Check, status: number, reason: DenyReason | '' = '', detail = ''): void {
    ports.ended(toCheckRecord(check, { status, reason, detail }, ports.clock))
  }

  function fault(check: Check, error: unknown): CheckResponse {
    ports.faulted(error, check)
    return deny(check, { reason: 'internal_error', detail: 'see the error log' })
  }

  function judge(check: Check, request: CheckRequest): CheckResponse | Promise<CheckResponse> {
    const rules = ports.ruleset()
    const facts = checkAsker(check.peer, rules.isTrustedChecker) ?? read(request, rules)
    if ('refused' in facts) return deny(check, facts)
    received(check, facts)
    const decision = rules.isReserved(facts.target) ? RESERVED : rules.authorize(facts)
    const answer =
      decision instanceof Promise
        ? decision.then((settled) => conclude(check, settled, rules))
        : conclude(check, decision, rules)
    if (!(answer instanceof Promise)) return answer
    return answer.catch((error: unknown) => fault(check, error))
  }

  return (request, peer) => {
    ports.started()
    const check = startCheck(ports.nextId(), peer, ports.clock)
    try {
      return judge(check, request)
    } catch (error) {
      return fault(check, error)
    }
  }
}
