// Rules between routes and what they refer to. Reads values of any shape, so that one bad setting hides no other problem.
import { checkCors } from './check-cors.ts'
import { checkDecisionRoute } from './check-decisions.ts'
import { checkShaping } from './check-shaping.ts'
import { checkStreams } from './check-streams.ts'
import { asList, asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import { didYouMean } from './suggest.ts'
import type { Finding } from './yaml-source.ts'

const DEFAULT_PATH_PREFIX = '/_poolgate'

/** @param settings what the file says, before defaults */
export function checkRoutes(settings: Mapping): Finding[] {
  const routes = asList(settings.routes).map(asMapping)
  return routes.flatMap((route, index) => {
    const path = ['routes', index]
    return [
      ...checkName(route, path, routes.slice(0, index)),
      ...checkUpstream(route, path, settings),
      ...checkPath(route, path, settings),
      ...checkDecisionRoute(route, path),
      ...checkShaping(route, path, Object.keys(asMapping(settings.identityHeaders))),
      ...checkCors(route, path),
      ...checkStreams(route, path),
      ...checkAccess(route.access, [...path, 'access'], Object.keys(asMapping(settings.userPools))),
    ]
  })
}

function checkName({ name }: Mapping, path: ConfigPath, earlier: readonly Mapping[]): Finding[] {
  const same = name === undefined ? -1 : earlier.findIndex((route) => route.name === name)
  if (same === -1) return []
  return [{ path: [...path, 'name'], message: `routes[${same}] has this name already` }]
}

function checkUpstream(route: Mapping, path: ConfigPath, settings: Mapping): Finding[] {
  if (route.upstream === 'none') return []
  return checkReference(route, [...path, 'upstream'], 'upstream', asMapping(settings.upstreams))
}

/** That the text under `kind` is one of the names of `known`. */
function checkReference(
  holder: Mapping,
  path: ConfigPath,
  kind: string,
  known: Mapping,
): Finding[] {
  const name = asText(holder[kind])
  if (name === undefined || Object.hasOwn(known, name)) return []
  const noun = kind === 'upstream' ? 'upstream' : 'user pool'
  const hint = didYouMean(name, Object.keys(known))
  return [{ path, message: `there is no ${noun} of this name${hint}` }]
}

function checkPath(route: Mapping, path: ConfigPath, settings: Mapping): Finding[] {
  const prefix = asText(settings.pathPrefix) ?? DEFAULT_PATH_PREFIX
  const pattern = asText(asMapping(route.match).path)
  if (pattern === undefined || !isBelow(pattern, prefix)) return []
  const message = 'lies below pathPrefix, which is never forwarded'
  return [{ path: [...path, 'match', 'path'], message }]
}

function isBelow(pattern: string, prefix: string): boolean {
  const decoded = decode(pattern).toLowerCase()
  const folded = prefix.toLowerCase()
  return decoded === folded || decoded.startsWith(`${folded}/`)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function checkAccess(access: unknown, path: ConfigPath, pools: readonly string[]): Finding[] {
  if (access === 'public' || access === undefined || access === null) return []
  const rule = asMapping(access)
  if (pools.length === 0 && (access === 'authenticated' || rule === access)) {
    return [{ path, message: 'needs a user pool, but userPools has none' }]
  }
  if (rule !== access) return []
  return [
    ...checkUserPool(rule, path, pools),
    ...checkScopes(rule, path),
    ...['groups', 'scopes', 'providers', 'amr'].flatMap((key) =>
      checkMembership(rule[key], [...path, key]),
    ),
  ]
}

function checkUserPool(rule: Mapping, path: ConfigPath, pools: readonly string[]): Finding[] {
  const place = [...path, 'userPool']
  const known = Object.fromEntries(pools.map((name) => [name, true]))
  if ('userPool' in rule) return checkReference(rule, place, 'userPool', known)
  if (Object.keys(rule).length === 0) {
    return [{ path, message: 'an empty mapping; for any valid access token write authenticated' }]
  }
  if (pools.length === 1) return []
  const message = `is required where there are several user pools: ${pools.join(', ')}`
  return [{ path: place, message }]
}

function checkScopes(rule: Mapping, path: ConfigPath): Finding[] {
  if (rule.tokenUse !== 'id' || !('scopes' in rule)) return []
  return [{ path: [...path, 'scopes'], message: 'can never hold: ID tokens carry no scopes' }]
}

/** A rule that asks for nothing is a mistake, and so is one that admits nobody. */
function checkMembership(value: unknown, path: ConfigPath): Finding[] {
  const given = asMapping(value)
  if (value !== given) return []
  if (Object.keys(given).length === 0) {
    const message = 'expected anyOf, allOf or noneOf; an empty mapping would ask for nothing'
    return [{ path, message }]
  }
  const refused = asTexts(given.noneOf)
  const anyOf = asTexts(given.anyOf)
  const never = asTexts(given.allOf).some((name) => refused.includes(name))
  if (!never && (anyOf.length === 0 || !anyOf.every((name) => refused.includes(name)))) return []
  return [{ path: [...path, 'noneOf'], message: 'can never hold beside allOf and anyOf' }]
}
