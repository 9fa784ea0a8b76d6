// Compiles the configured routes into the route table that authorize asks, or names the routes that could tie.
import type { Config } from '../config/schema.ts'
import { identityPoolOf, loginKeyOf } from '../config/login-key.ts'
import { compileHeaderEdits } from '../http/header-edits.ts'
import { compileRouteTable, type RouteProblem, type RouteTable } from '../route/route-table.ts'
import type { Rule } from './authorize.ts'
import { compileCors } from './cors.ts'
import type { Rewrite, StepUp } from './decision.ts'
import { compilePolicy } from './policy.ts'

type RouteConfig = Config['routes'][number]

/** `indexOf` numbers routes for telemetry; by default their position in the configuration. */
export function compileRules(
  config: Config,
  indexOf: (name: string, position: number) => number = (_, position) => position,
): {
  readonly table: RouteTable<Rule>
  readonly problems: readonly RouteProblem[]
} {
  return compileRouteTable(
    config.routes.map((route, position) => ({
      name: route.name,
      match: route.match,
      route: toRule(route, indexOf(route.name, position), config),
    })),
  )
}

function toRule(route: RouteConfig, index: number, config: Config): Rule {
  const responseEdits = compileHeaderEdits(
    route.responseHeaders?.set,
    route.responseHeaders?.remove,
  )
  const maxBody = route.maxBody ?? config.limits.body
  return {
    route: {
      name: route.name,
      index,
      upstream: route.upstream === 'none' ? undefined : route.upstream,
      forwardToken: route.forwardToken,
      signIn: route.signIn,
      loginKey: toLoginKey(route, config),
      maxBody: maxBody === 'none' ? Number.POSITIVE_INFINITY : maxBody,
      places: route.credentials,
      upgrades: route.upgrades,
      endsAtExpiry: route.atExpiry === 'end',
      timeouts: route.timeouts && {
        ...config.upstreams[route.upstream]!.timeouts,
        ...route.timeouts,
      },
      rewrite: route.rewrite && toRewrite(route.rewrite),
      requestEdits: compileHeaderEdits(route.requestHeaders?.set, route.requestHeaders?.remove),
      responseEdits,
      cors: route.cors && compileCors(route.cors, corsMethods(route), responseEdits),
    },
    ...toAccess(route.access, Object.keys(config.userPools)),
  }
}

/** Public routes ask for nobody's token. */
function toLoginKey({ access, upstream }: RouteConfig, config: Config): string | undefined {
  const name = identityPoolOf(upstream, config)
  return name === undefined || access === 'public' ? undefined : loginKeyOf(name, config)
}

function corsMethods({ cors, match }: RouteConfig): readonly string[] {
  return cors?.methods ?? match.methods ?? ['GET', 'HEAD', 'POST']
}

function toRewrite({
  stripPrefix = '',
  addPrefix = '',
}: NonNullable<RouteConfig['rewrite']>): Rewrite {
  return { strip: stripPrefix.split('/').length - 1, add: addPrefix }
}

function toAccess(
  access: RouteConfig['access'],
  userPools: readonly string[],
): Pick<Rule, 'wanted' | 'policy' | 'maxAuthAgeMs' | 'stepUp'> {
  const onlyPool = userPools.length === 1 ? userPools[0] : undefined
  if (access === 'public') return { wanted: undefined, policy: () => undefined }
  if (access === 'authenticated') {
    return { wanted: { userPool: onlyPool, tokenUse: 'access' }, policy: () => undefined }
  }
  return {
    wanted: { userPool: access.userPool ?? onlyPool, tokenUse: access.tokenUse },
    policy: compilePolicy(access),
    maxAuthAgeMs: access.maxAuthAgeMs,
    stepUp: toStepUp(access),
  }
}

function toStepUp({
  acr,
  amr,
  maxAuthAgeMs,
}: Exclude<RouteConfig['access'], string>): StepUp | undefined {
  if (acr === undefined && amr === undefined && maxAuthAgeMs === undefined) return undefined
  return {
    acrValues: acr,
    maxAgeSeconds: maxAuthAgeMs === undefined ? undefined : Math.floor(maxAuthAgeMs / 1_000),
  }
}
