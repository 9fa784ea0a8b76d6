// AWS upstreams that load and yet are not what somebody meant: rights for everybody, callers who are asked for what they do not send.
// Warnings alone.
import { identityPoolOf } from './login-key.ts'
import type { Config } from './schema.ts'
import type { Finding } from './yaml-source.ts'

type Route = Config['routes'][number]

export function findAwsTraps(config: Config): Finding[] {
  return [
    ...Object.keys(config.identityPools).flatMap((name) => warnOfNoUpstream(name, config)),
    ...config.routes.flatMap((route, index) => [
      ...warnOfOwnRole(route, index, config),
      ...warnOfAccessToken(route, index, config),
    ]),
  ]
}

function warnOfNoUpstream(name: string, config: Config): Finding[] {
  const upstreams = Object.keys(config.upstreams)
  if (upstreams.some((upstream) => identityPoolOf(upstream, config) === name)) return []
  const message = 'no upstream names this identity pool, so nobody is given its credentials'
  return [{ path: ['identityPools', name], part: 'key', message }]
}

function warnOfOwnRole({ access, upstream }: Route, index: number, config: Config): Finding[] {
  if (access !== 'public' || config.upstreams[upstream]?.aws?.credentials === undefined) return []
  const message =
    "whoever calls acts with the gateway's own role here, and nobody is asked who that is"
  return [{ path: ['routes', index, 'access'], message }]
}

function warnOfAccessToken(
  { access, upstream, signIn }: Route,
  index: number,
  config: Config,
): Finding[] {
  const isExchanged = identityPoolOf(upstream, config) !== undefined
  const tokenUse = typeof access === 'string' ? 'access' : access.tokenUse
  if (!isExchanged || access === 'public' || signIn !== undefined || tokenUse !== 'access')
    return []
  const message =
    'takes access tokens, and its upstream needs the ID token: callers have to send both (X-Poolgate-Id-Token), unless tokenUse is id or any'
  return [{ path: ['routes', index, 'access'], message }]
}
