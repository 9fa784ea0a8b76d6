// A browser's question ahead of a page's request (a CORS preflight): which request it is about. It decides nothing.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Rule } from '../policy/authorize.ts'
import { decidePreflight } from '../policy/preflight.ts'
import type { RouteTable } from '../route/route-table.ts'
import { singleValue } from '../http/headers.ts'
import { type Step, toCheck } from './step.ts'

export interface PreflightExplanation {
  readonly step: Step
  /** The method that the page wants to use, by which the route is found. */
  readonly method: string
}

/** Undefined for what is none, or asks of a route that has nothing to say to one. */
export function explainPreflight(
  facts: RequestFacts,
  table: RouteTable<Rule>,
): PreflightExplanation | undefined {
  const decision = decidePreflight(facts, table)
  if (decision === undefined) return undefined
  const method = singleValue(facts.headers, 'access-control-request-method') ?? ''
  const origin = singleValue(facts.headers, 'origin') ?? ''
  const refusal = decision.kind === 'deny' ? decision : undefined
  const seen = `pages of ${origin} may send ${method}; no token is asked for`
  return { method, step: { title: 'preflight', checks: [toCheck('cors', refusal, seen)] } }
}
