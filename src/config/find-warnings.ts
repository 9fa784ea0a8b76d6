// What a valid configuration may still not mean. Kept few: a warning that is always there is never read.
import { isEveryAddress } from './cidr.ts'
import { findAwsTraps } from './find-aws-traps.ts'
import { findGaps } from './find-gaps.ts'
import { findSignInTraps } from './find-sign-in-traps.ts'
import type { Config } from './schema.ts'
import type { Finding } from './yaml-source.ts'

type Route = Config['routes'][number]

export function findWarnings(config: Config): Finding[] {
  return [
    ...config.trustedProxies.flatMap((range, index): Finding[] => {
      if (!isEveryAddress(range)) return []
      const message =
        'everybody is trusted to say who the client is, and may ask for decisions; name your proxies'
      return [{ path: ['trustedProxies', index], message }]
    }),
    ...Object.entries(config.userPools).flatMap(([name, pool]): Finding[] => {
      if (pool.clientIds !== 'any') return []
      const message = 'tokens of every app client of this user pool are accepted'
      return [{ path: ['userPools', name, 'clientIds'], message }]
    }),
    ...config.routes.flatMap((route, index) => [
      ...warnOfCapitals(route, index),
      ...warnOfLastSlash(route, index, config.routes),
    ]),
    ...findGaps(config),
    ...findSignInTraps(config),
    ...findAwsTraps(config),
  ]
}

function warnOfCapitals({ match, access }: Route, index: number): Finding[] {
  if (access === 'public' || !/\p{Lu}/u.test(match.path)) return []
  const message =
    'an upstream that ignores case also answers the lower-case path, which this route does not protect'
  return [{ path: ['routes', index, 'match', 'path'], message }]
}

/** An exact path whose twin with or without a last slash belongs to a stricter route: that one has to allow it too. */
function warnOfLastSlash(route: Route, index: number, routes: readonly Route[]): Finding[] {
  const { path } = route.match
  if (path.endsWith('*') || path === '/') return []
  const twin = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
  const other = mostSpecific(twin, routes)
  if (other === undefined || strength(other) <= strength(route)) return []
  const message = `whoever asks for ${path} must satisfy route ${other.name} too, which also answers ${twin}; give ${twin} a route of its own to avoid that`
  return [{ path: ['routes', index, 'match', 'path'], message }]
}

/** By path alone, which is enough for a warning. */
function mostSpecific(path: string, routes: readonly Route[]): Route | undefined {
  const exact = routes.find(({ match }) => match.path === path)
  if (exact !== undefined) return exact
  return routes
    .filter(({ match }) => match.path.endsWith('/*') && path.startsWith(match.path.slice(0, -1)))
    .sort((a, b) => b.match.path.length - a.match.path.length)[0]
}

function strength({ access }: Route): number {
  if (access === 'public') return 0
  return access === 'authenticated' ? 1 : 2
}
