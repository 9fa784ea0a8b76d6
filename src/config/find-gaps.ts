// Requests that slip past a protected route: another method or another host on its paths, which a broader route answers that
// asks for less. By the text of paths alone, which is enough for a warning.
import { asksAsMuch } from './access-order.ts'
import {
  answering,
  coversPath,
  foldHosts,
  type Route,
  takesHost,
  takesMethod,
} from './answering.ts'
import type { Config } from './schema.ts'
import { METHODS } from './methods.ts'
import type { Finding } from './yaml-source.ts'

/** A request for a host that no route names. */
const OTHER_HOST = ''
const READS: readonly string[] = ['GET', 'HEAD', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH']
const WRITES: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']
const METHODS_SHOWN = 4

export function findGaps(config: Config): Finding[] {
  const routes = config.routes.map(foldHosts)
  const pools = Object.keys(config.userPools)
  const targetsOf = ({ upstream }: Route) => placesOf(config.upstreams[upstream])
  const shareTarget = (one: Route, other: Route) =>
    targetsOf(one).some((target) => targetsOf(other).includes(target))
  return routes.flatMap((route, index) => {
    const { methods, hosts, path } = route.match
    if (methods === undefined && hosts === undefined) return []
    const rivals = routes.filter(({ match }) => coversPath(match.path, path))
    const weaker = rivals.filter(
      (other) => !asksAsMuch(other.access, route.access, pools) && shareTarget(other, route),
    )
    return weaker.flatMap((other) => [
      ...warnOfMethods(route, other, rivals, index),
      ...warnOfHosts(route, other, rivals, index),
    ])
  })
}

/** Where its targets are, or are found. */
function placesOf(upstream: Config['upstreams'][string] | undefined): readonly string[] {
  const { targets = [], discover: { dns, srv, ec2 } = {} } = upstream ?? {}
  return targets.length > 0 ? targets : [JSON.stringify([dns, srv, ec2])]
}

function warnOfMethods(
  route: Route,
  other: Route,
  rivals: readonly Route[],
  index: number,
): Finding[] {
  const slipping = methodsFor(route, other, rivals).filter((method) => isTold(method, route))
  if (slipping.length === 0) return []
  const { path } = route.match
  const message = `on ${path} route ${route.name} leaves ${toList(slipping)} to route ${other.name}, which does not ask for as much; leave methods out here, or name these too`
  return [{ path: ['routes', index, 'match', 'methods'], message }]
}

/** Methods that `route` does not take and `other` answers in its place. */
function methodsFor(route: Route, other: Route, rivals: readonly Route[]): readonly string[] {
  const { methods, hosts, path } = route.match
  // Whoever names the methods of the very same path has thought of them.
  const isNamed = other.match.path === path && other.match.methods !== undefined
  if (methods === undefined || isNamed) return []
  const named = [...(hosts ?? []), ...(other.match.hosts ?? [])]
  const shared = (named.length === 0 ? [OTHER_HOST] : named).filter(
    (host) =>
      takesHost(route, host) &&
      takesHost(other, host) &&
      answering(rivals, host, methods[0] ?? '') === route,
  )
  return METHODS.filter(
    (method) =>
      !takesMethod(route, method) &&
      shared.some((host) => answering(rivals, host, method) === other),
  )
}

/** That reads are open to more callers than writes is usual, and so is a preflight request for everybody. */
function isTold(method: string, { match: { methods = [] } }: Route): boolean {
  if (method === 'OPTIONS') return false
  return methods.some((taken) => READS.includes(taken)) || WRITES.includes(method)
}

function warnOfHosts(
  route: Route,
  other: Route,
  rivals: readonly Route[],
  index: number,
): Finding[] {
  const { hosts, methods, path } = route.match
  if (hosts === undefined || !hosts.every((host) => takesHost(other, host))) return []
  const further = (other.match.hosts ?? [OTHER_HOST]).filter((host) => !takesHost(route, host))
  const slips = further.some((host) =>
    (methods ?? METHODS).some((method) => answering(rivals, host, method) === other),
  )
  if (!slips) return []
  const message = `on ${path} route ${route.name} leaves every other host to route ${other.name}, which does not ask for as much; leave hosts out here, or name the hosts of route ${other.name}`
  return [{ path: ['routes', index, 'match', 'hosts'], message }]
}

function toList(methods: readonly string[]): string {
  const more = methods.length - METHODS_SHOWN
  if (more <= 0) return methods.join(', ')
  return `${methods.slice(0, METHODS_SHOWN).join(', ')} and ${more} more`
}
