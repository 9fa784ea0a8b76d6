// Which route answers a request, by the text of their patterns alone: enough for a warning, never for a decision.
import type { Config } from './schema.ts'

export type Route = Config['routes'][number]

/** The most specific of `rivals` for such a request, as the route table ranks them. */
export function answering(
  rivals: readonly Route[],
  host: string,
  method: string,
): Route | undefined {
  let best: Route | undefined
  for (const rival of rivals) {
    if (!takesHost(rival, host) || !takesMethod(rival, method)) continue
    if (best === undefined || isBefore(rankOf(rival, host), rankOf(best, host))) best = rival
  }
  return best
}

function rankOf({ match }: Route, host: string): readonly number[] {
  const { path, hosts, methods } = match
  const byHost = hosts === undefined ? 0 : hosts.includes(host) ? 2 : 1
  return [path.endsWith('/*') ? 0 : 1, path.length, byHost, methods === undefined ? 0 : 1]
}

function isBefore(rank: readonly number[], other: readonly number[]): boolean {
  const differing = rank.findIndex((value, i) => value !== other[i])
  return differing !== -1 && (rank[differing] ?? 0) > (other[differing] ?? 0)
}

/** Whether a pattern takes all that another one stands for. */
export function coversPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1)))
}

/** @param host a name, or a wildcard pattern for a name that no other pattern has */
export function takesHost({ match: { hosts } }: Route, host: string): boolean {
  if (hosts === undefined) return true
  return hosts.some((pattern) => {
    const isWildcard = pattern.startsWith('*.')
    return pattern === host || (isWildcard && host.slice(host.indexOf('.')) === pattern.slice(1))
  })
}

export function takesMethod({ match: { methods } }: Route, method: string): boolean {
  return methods === undefined || methods.some((taken) => taken === method)
}

/** Letter case and a last dot make no difference. */
export function foldHosts(route: Route): Route {
  const { hosts, ...match } = route.match
  if (hosts === undefined) return route
  return {
    ...route,
    match: { ...match, hosts: hosts.map((host) => host.toLowerCase().replace(/\.$/, '')) },
  }
}
