// What keeps a request from being forwarded whatever its caller may do: it is no service's, or nothing that could be passed on. Allows
// nothing.
import type { RequestFacts } from '../http/request-facts.ts'
import { isSoundUpgrade } from '../http/upgrade.ts'
import { type Deny, isUpgrade, type Route } from '../policy/decision.ts'

export type Obstacle = Pick<Deny, 'reason' | 'detail'>

/** What lies below `pathPrefix`; nobody is asked about it. */
export const RESERVED: Deny = {
  kind: 'deny',
  reason: 'route_not_found',
  detail:
    'a reserved path, and no endpoint of auth-request, forward-auth, nginx-gateway-fabric, ext-authz/…',
  route: undefined,
}

export const FOR_DECISIONS: Obstacle = {
  reason: 'route_not_found',
  detail: 'a route for decisions alone (upstream: none)',
}

const NO_WEB_SOCKET: Obstacle = {
  reason: 'request_malformed',
  detail: 'no WebSocket of version 13 with a key of 16 bytes',
}

/** Of a request that this route allows; undefined where it can be forwarded. */
export function findObstacle(facts: RequestFacts, route: Route): Obstacle | undefined {
  if (route.upstream === undefined) return FOR_DECISIONS
  if ((facts.contentLength ?? 0) > route.maxBody) {
    return { reason: 'body_too_large', detail: `content-length ${facts.contentLength}` }
  }
  return isUpgrade(route, facts) && !isSoundUpgrade(facts) ? NO_WEB_SOCKET : undefined
}
