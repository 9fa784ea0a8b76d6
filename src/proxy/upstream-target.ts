// The target that an upstream gets: what was matched, byte for byte, but for a token that stood in the query and a prefix that the
// route exchanges.
import { type Refusal, toAmbiguous } from '../http/refusal.ts'
import { parseRequestTarget, type RequestTarget } from '../http/request-target.ts'
import type { Rewrite, Route } from '../policy/decision.ts'
import { readingsOf } from '../route/readings.ts'
import { takeParameter } from '../token/credential-places.ts'

/** Refused where a rewritten path is one that would have been refused of a client too. */
export function toUpstreamTarget(
  { path, query }: RequestTarget,
  { places, rewrite }: Route,
): string | Refusal {
  const name = places?.query
  const rest = name === undefined ? query : takeParameter(query, name).rest
  return rewrite === undefined ? path + rest : rewritten(path, rest, rewrite)
}

function rewritten(path: string, query: string, { strip, add }: Rewrite): string | Refusal {
  const result = add + withoutSegments(path, strip)
  const raw = (result === '' ? '/' : result) + query
  const target = parseRequestTarget(raw, '')
  if ('refused' in target) return target
  const isSound = target.plain || readingsOf(target.decodedPath) !== undefined
  return isSound ? raw : toAmbiguous('a looser reading of the rewritten path gains segments')
}

/** By number, as they may be written in any encoding; that they are those of the prefix, the match has shown. */
function withoutSegments(path: string, count: number): string {
  let start = 0
  for (let i = 0; i < count && start !== -1; i++) start = path.indexOf('/', start + 1)
  return start === -1 ? '' : path.slice(start)
}
