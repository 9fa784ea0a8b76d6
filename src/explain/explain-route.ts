// Which routes a request could have, and why each of the others is not its own: asked of the route table itself, one condition at a time.
import type { Config } from '../config/schema.ts'
import { suggest } from '../config/suggest.ts'
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
  readonly nearest: Miss | undefined
}

/** What keeps a route from a request, the nearest first; `path` is another path altogether. */
const KINDS = ['method', 'host', 'letter case', 'last slash', 'spelling', 'path'] as const

/** A route that is not the request's. */
export interface Miss {
  readonly name: string
  readonly path: string
  readonly kind: (typeof KINDS)[number]
  readonly why: string
}

const MAX_NAMED = 6

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
  const checks = [
    ...toReadings(facts.target),
    ...near.map(({ name, why }) => toInfo(name, `not this one: ${why}`)),
    ...toFar(misses.filter(({ kind }) => kind === 'path')),
  ]
  if (match === undefined || 'refused' in match) {
    const none = match ?? { reason: 'route_not_found' as const, detail: 'no route matches' }
    const [nearest] = near.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
    return { step: toStep([...checks, toCheck('route', none)]), rules: [], nearest }
  }
  const others = match.others.map(({ route }) =>
    toOk(route.name, 'another reading of the path leads here: it has to allow the request too'),
  )
  const { route } = match.route
  const found = toOk(route.name, patternOf(config, route.index))
  return {
    step: toStep([...checks, found, ...others]),
    rules: [match.route, ...match.others],
    nearest: undefined,
  }
}

function toStep(checks: readonly Check[]): Step {
  return { title: 'route', checks }
}

/** Of other paths altogether: the first few by name, as there may be hundreds. */
function toFar(misses: readonly Miss[]): Check[] {
  if (misses.length === 0) return []
  const names = misses.slice(0, MAX_NAMED).map(({ name, path }) => `${name} ${path}`)
  const rest = misses.length > MAX_NAMED ? `, and ${misses.length - MAX_NAMED} more` : ''
  return [toInfo('other paths', names.join(', ') + rest)]
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
function findMiss(name: string, match: RoutePattern, facts: Facts): Miss | undefined {
  const { path, hosts, methods } = match
  const takes = (pattern: RoutePattern, decodedPath = facts.target.decodedPath) =>
    isTaken(pattern, facts, decodedPath)
  if (!takes({ path })) {
    const kind = findPathKind(path, facts.target.decodedPath, takes)
    const asked = kind === 'path' ? '' : `, the request's ${facts.target.decodedPath}`
    const differs = kind === 'path' ? '' : `: the ${kind} differs`
    return { name, path, kind, why: `its path is ${path}${asked}${differs}` }
  }
  if (hosts !== undefined && !takes({ path, hosts })) {
    const why = `it takes the host ${hosts.join(', ')}, the request has ${facts.host.name}`
    return { name, path, kind: 'host', why }
  }
  if (methods !== undefined && !takes({ path, methods })) {
    const why = `it takes ${methods.join(', ')}, the request is ${facts.method}`
    return { name, path, kind: 'method', why }
  }
  return undefined
}

function isTaken(match: RoutePattern, { method, host, target }: Facts, path: string): boolean {
  const { table } = compileRouteTable([{ name: '', match, route: true }])
  const found = table.match(method, host.name, { ...target, decodedPath: path, plain: true })
  return found !== undefined && !('refused' in found)
}

function findPathKind(
  path: string,
  asked: string,
  takes: (pattern: RoutePattern, decodedPath?: string) => boolean,
): Miss['kind'] {
  if (takes({ path: path.toLowerCase() }, asked.toLowerCase())) return 'letter case'
  const toggled = asked.endsWith('/') ? asked.slice(0, -1) : `${asked}/`
  if (toggled !== '' && takes({ path }, toggled)) return 'last slash'
  const written = path.replace(/\/\*$/, '')
  const { length } = written.split('/')
  const beginning = path.endsWith('/*') ? asked.split('/').slice(0, length).join('/') : asked
  return suggest(beginning, [written]) === undefined ? 'path' : 'spelling'
}
