// Which routes a request could have, and why each of the others is not its own: asked of the route table itself, one condition at a time.
import type { Config } from '../config/schema.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { RequestTarget } from '../http/request-target.ts'
import type { Rule } from '../policy/authorize.ts'
import type { RoutePattern } from '../route/pattern.ts'
import { readingsOf } from '../route/readings.ts'
import { compileRouteTable, type RouteTable } from '../route/route-table.ts'
import { type Check, type Step, toCheck, toInfo, toOk } from './step.ts'

type Facts = Pick<RequestFacts, 'method' | 'host' | 'target'>

export interface RouteExplanation {
  readonly step: Step
  /** The request's route, then those that another reading of its path leads to. */
  readonly rules: readonly Rule[]
  /** The route that lies nearest where none matches. */
  readonly nearest: string | undefined
}

/** How near a route is that does not match, by what keeps it from it. */
const NEARNESS = ['method', 'host', 'letter case', 'last slash'] as const

interface Miss {
  readonly name: string
  readonly kind: (typeof NEARNESS)[number] | 'path'
  readonly why: string
}

export function explainRoute(
  config: Config,
  table: RouteTable<Rule>,
  facts: Facts,
): RouteExplanation {
  const match = table.match(facts.method, facts.host.name, facts.target)
  const misses = table.inOrder.flatMap(({ route }) => {
    const settings = config.routes[route.index] as Config['routes'][number]
    return findMiss(route.name, settings.match, facts) ?? []
  })
  const near = misses.filter(({ kind }) => kind !== 'path')
  const notes = near.map(({ name, why }): Check => ({ result: 'no', what: name, detail: why }))
  const reading = toReadings(facts.target)
  if (match === undefined || 'refused' in match) {
    const none = match ?? { reason: 'route_not_found' as const, detail: 'no route matches' }
    const nearest = [...near].sort(
      (a, b) => NEARNESS.indexOf(a.kind as never) - NEARNESS.indexOf(b.kind as never),
    )[0]
    const others = misses.length - near.length
    const rest = others === 0 ? [] : [toInfo('other routes', `${others}, of other paths`)]
    return {
      step: { title: 'route', checks: [...reading, ...notes, ...rest, toCheck('route', none)] },
      rules: [],
      nearest: nearest && `route ${nearest.name}: ${nearest.why}`,
    }
  }
  const rules = [match.route, ...match.others]
  const found = rules.map(({ route }, i) =>
    toOk(
      route.name,
      i === 0
        ? patternOf(config, route.index)
        : 'another reading of the path leads here: it has to allow the request too',
    ),
  )
  return {
    step: { title: 'route', checks: [...reading, ...notes, ...found] },
    rules,
    nearest: undefined,
  }
}

function toReadings({ decodedPath, plain }: RequestTarget): Check[] {
  const readings = plain ? [] : (readingsOf(decodedPath) ?? [])
  const others = readings.filter((reading) => reading !== `${decodedPath}/`)
  return others.length === 0 ? [] : [toInfo('other readings', others.slice(0, 4).join(' '))]
}

function patternOf({ routes }: Config, index: number): string {
  const { path, hosts, methods } = (routes[index] as Config['routes'][number]).match
  return [methods?.join(','), hosts?.join(','), path].filter(Boolean).join(' ')
}

/** Undefined where the route takes the request. */
function findMiss(
  name: string,
  match: RoutePattern,
  { method, host, target }: Facts,
): Miss | undefined {
  const { path, hosts, methods } = match
  const takes = (pattern: RoutePattern, decodedPath = target.decodedPath) => {
    const { table } = compileRouteTable([{ name, match: pattern, route: true }])
    const found = table.match(method, host.name, { ...target, decodedPath, plain: true })
    return found !== undefined && !('refused' in found)
  }
  const miss = (kind: Miss['kind'], why: string): Miss => ({ name, kind, why })
  if (!takes({ path })) {
    const lower = target.decodedPath.toLowerCase()
    if (takes({ path: path.toLowerCase() }, lower)) {
      return miss(
        'letter case',
        `its path is ${path}, the request's ${target.decodedPath}: letter case differs`,
      )
    }
    const toggled = target.decodedPath.endsWith('/')
      ? target.decodedPath.slice(0, -1)
      : `${target.decodedPath}/`
    if (toggled !== '' && takes({ path }, toggled)) {
      return miss(
        'last slash',
        `its path is ${path}, the request's ${target.decodedPath}: the last slash differs`,
      )
    }
    return miss('path', `its path is ${path}`)
  }
  if (hosts !== undefined && !takes({ path, hosts })) {
    return miss('host', `takes the host ${hosts.join(', ')}, the request has ${host.name}`)
  }
  if (methods !== undefined && !takes({ path, methods })) {
    return miss('method', `takes ${methods.join(', ')}, the request is ${method}`)
  }
  return undefined
}
