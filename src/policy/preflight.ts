// Answers a browser's question whether a page may ask what it wants to (a CORS preflight, Fetch Standard section 4.8), by the route
// that the request itself would have. It carries no token, and nothing of it is forwarded.
import { listValue, type RawHeaders, singleValue, trimBlanks } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { RouteTable } from '../route/route-table.ts'
import { type CorsAnswer, corsAnswerFor } from './cors.ts'
import { type Deny, type Preflight, type Route, toDeny } from './decision.ts'

/** What a page wants to ask. */
interface Asked {
  readonly method: string
  /** In lower case. */
  readonly names: readonly string[]
}

/** Undefined for what is no preflight, or asks of a route that has nothing to say to one. */
export function decidePreflight(
  facts: RequestFacts,
  table: Pick<RouteTable<{ readonly route: Route }>, 'match'>,
): Preflight | Deny | undefined {
  const asked = toAsked(facts)
  if (asked === undefined) return undefined
  const match = table.match(asked.method, facts.host.name, facts.target)
  if (match === undefined || 'refused' in match) return undefined
  const { route } = match.route
  const { cors } = route
  if (cors === undefined) return undefined
  const answer = corsAnswerFor(cors, facts.headers)
  // No weaker reading: each route that a looser reading reaches has to allow it too.
  for (const each of [route, ...match.others.map((other) => other.route)]) {
    const detail = findRefusal(each, asked, facts.headers)
    if (detail !== undefined) return toDeny({ reason: 'cors_denied', detail }, each)
  }
  return { kind: 'preflight', route, fields: { ...answer.fields, ...cors.permits } }
}

function toAsked({ method, headers, hasBody }: RequestFacts): Asked | undefined {
  if (method !== 'OPTIONS' || hasBody) return undefined
  const wanted = singleValue(headers, 'access-control-request-method')
  if (typeof wanted !== 'string' || typeof singleValue(headers, 'origin') !== 'string')
    return undefined
  const names = listValue(headers, 'access-control-request-headers') ?? ''
  const trimmed = names.split(',').map((name) => trimBlanks(name).toLowerCase())
  return { method: wanted, names: trimmed.filter((name) => name !== '') }
}

function findRefusal({ cors }: Route, asked: Asked, headers: RawHeaders): string | undefined {
  if (cors === undefined) return 'another reading leads to a route without cors'
  const answer: CorsAnswer = corsAnswerFor(cors, headers)
  if (!answer.isAllowed) return 'the origin is not one of cors.origins'
  if (!cors.methods.has(asked.method)) return 'the method is not one of cors.methods'
  const isForeign = asked.names.some((name) => !cors.headers.has(name))
  return isForeign ? 'a header is not one of cors.headers' : undefined
}
