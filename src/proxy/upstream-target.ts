// The target that an upstream gets: what was matched, byte for byte, but for a token that stood in the query.
import type { RequestTarget } from '../http/request-target.ts'
import type { Route } from '../policy/decision.ts'
import { takeParameter } from '../token/credential-places.ts'

export function toUpstreamTarget({ path, query }: RequestTarget, { places }: Route): string {
  const name = places?.query
  return path + (name === undefined ? query : takeParameter(query, name).rest)
}
