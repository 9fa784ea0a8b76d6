// What an endpoint is that answers what would become of a request, and how its verdict is sent. What asks forwards the request itself.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, DenyReason } from '../policy/decision.ts'
import type { ClientRequest, ClientResponse } from './client-side.ts'
import type { DenialExtras, DenialResponse } from './denial-response.ts'
import type { Ruleset } from './ruleset.ts'
import type { Unreadable } from './to-request-facts.ts'

export interface DecisionEndpoint {
  /** Its name in the access log. */
  readonly name: string
  /** Whether who asks passes on an answer to a CORS preflight that is neither 200 nor a refusal. */
  readonly answersPreflights: boolean
  /** Whether who asks passes a redirect on to the browser. */
  readonly redirects: boolean
  /** The request that is asked about, or why nobody can say. */
  read(request: ClientRequest, rules: ReadingRules): RequestFacts | Unreadable
  /** What the one that asks has to add to an allowed request: name, value, name, value … */
  toFields(facts: RequestFacts, allow: Allow, rules: Ruleset): string[]
  /** A denial with a status that the one that asks understands. */
  toDenial(denial: DenialResponse, reason: DenyReason, extras?: DenialExtras): DenialResponse
}

/** What of a ruleset bears on how a request is read. */
export type ReadingRules = Pick<Ruleset, 'config' | 'limits' | 'isTrusted'>

/** The endpoint that a request line asks, if any. */
export type EndpointAt = (
  url: string,
  rules: Pick<Ruleset, 'config'>,
) => DecisionEndpoint | undefined

/** @param close whether the answer also ends the connection */
export function respondAllowed(
  response: ClientResponse,
  fields: readonly string[],
  requestId: string,
  close: boolean,
): void {
  const own = ['content-length', '0', 'cache-control', 'no-store', 'x-request-id', requestId]
  if (close) own.push('connection', 'close')
  response.writeHead(200, [...fields, ...own]).end()
}
