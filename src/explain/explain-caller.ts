// What one route asks of whoever sends the request, and what it has: credential, token, rules. By the decision's own functions, each of
// which goes on where the decision would have stopped; it decides nothing.
import type { Config } from '../config/schema.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { checkIdentityBytes, credentialOf, type Rule } from '../policy/authorize.ts'
import type { Route } from '../policy/decision.ts'
import { compilePrincipal, type Principal } from '../policy/principal.ts'
import { findCredential } from '../token/credential.ts'
import { isRejected } from '../token/verifier.ts'
import { explainLogin } from './explain-login.ts'
import { explainRules } from './explain-rules.ts'
import { explainToken, type TokenExplanation, type TokenPorts } from './explain-token.ts'
import { type Check, type Step, toCheck } from './step.ts'

export interface CallerExplanation {
  readonly route: Route
  readonly steps: readonly Step[]
  /** Undefined where there is no token to look at. */
  readonly token: TokenExplanation | undefined
  /** Who it would be if the token were good. */
  readonly principal: Principal | undefined
}

/**
 * @param matched the route that the request was matched with, which may be another one
 * @param about behind the titles of its steps, where there are several routes
 */
export function explainCaller(
  config: Config,
  { route, wanted }: Rule,
  matched: Route,
  facts: RequestFacts,
  ports: TokenPorts,
  about: string,
): CallerExplanation {
  const { access } = config.routes[route.index] as Config['routes'][number]
  const toRules = (principal?: Principal) =>
    explainRules(route.name, access, principal, ports.clock.now())
  if (wanted === undefined) {
    return { route, steps: [toRules()], token: undefined, principal: undefined }
  }
  const { checks, text } = explainCredential(route, matched, facts)
  const credential = { title: `credential${about}`, checks }
  if (text === undefined) {
    return { route, steps: [credential, toRules()], token: undefined, principal: undefined }
  }
  const token = explainToken(text, wanted, ports)
  const principal = token.unverified && compilePrincipal(config.identityHeaders)(token.unverified)
  const rules = toRules(principal)
  const tooLarge = principal && checkIdentityBytes(principal)
  const last = tooLarge ? [toCheck('identity headers', tooLarge)] : []
  const proof = { title: `token${about}`, checks: token.checks }
  const steps = [credential, proof, { ...rules, checks: [...rules.checks, ...last] }]
  const login = explainLogin(route, principal, facts, ports, about)
  return { route, steps: [...steps, ...login], token, principal }
}

interface CredentialExplanation {
  readonly checks: readonly Check[]
  /** The token, also where a request may not come with it as it does. */
  readonly text: string | undefined
}

function explainCredential(
  route: Route,
  matched: Route,
  facts: RequestFacts,
): CredentialExplanation {
  const taken = credentialOf(route, facts, matched)
  if (typeof taken === 'string') return { checks: [toFound(taken)], text: taken }
  const found = route.places && findCredential(facts, route.places)
  if (found === undefined || isRejected(found)) {
    return { checks: [toCheck('token', taken)], text: undefined }
  }
  return { checks: [toFound(found.token), toCheck('origin', taken)], text: found.token }
}

function toFound(token: string): Check {
  return toCheck('token', undefined, `${token.length} characters`)
}
