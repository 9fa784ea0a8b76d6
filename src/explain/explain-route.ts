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
const KINDS = ['method', 'letter case', 'last slash', 'spelling', 'host', 'path'] as const

/** A route that is not the request's. */
export interface Miss {
  readonly name: string
  readonly path: string
  /** The first thing that keeps it from the request. */
  readonly kind: (typeof KINDS)[number]
  readonly why: string
  /** How many things do: path, host, method. */
  readonly faults: number
}

const MAX_NAMED = 6
const BROADER = 'not this one: it takes the request too, and is less specific'
const OTHER_READING = 'another reading of the path leads here: it has to allow the request too'

export function explainRoute(
  config: Config,
  table: RouteTable<Rule>,
  facts: Facts,
): RouteExplanation {
  const match = table.match(facts.method, facts.host.name, facts.target)
  const rules = match === undefined || 'refused' in match ? [] : [match.route, ...match.others]
  const further = table.inOrder.filter((rule) => !rules.includes(rule))
  const misses = further.flatMap(({ route }) => {
    const settings = config.routes[route.index] as Config['routes'][number]
    return findMiss(route.name, settings.match, facts)
  })
  const near = misses.filter(({ kind }) => kind !== 'path')
  const checks = [
    ...toReadings(facts.target),
    ...near.map(({ name, why }) => toInfo(name, `not this one: ${why}`)),
    ...toFar(misses.filter(({ kind }) => kind === 'path')),
  ]
  if (match === undefined || 'refused' in match) {
    const none = match ?? { reason: 'route_not_found' as const, detail: 'no route matches' }
    const [nearest] = near.toSorted(
      (a, b) => a.faults - b.faults || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    )
    return { step: toStep([...checks, toCheck('route', none)]), rules: [], nearest }
  }
  const found = rules.map(({ route }, i) =>
    toOk(route.name, i === 0 ? patternOf(config, route.index) : OTHER_READING),
  )
  const broader = further.filter(({ route }) => misses.every(({ name }) => name !== route.name))
  const rest = broader.map(({ route }) => toInfo(route.name, BROADER))
  return { step: toStep([...checks, ...found, ...rest]), rules, nearest: undefined }
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

/** None where the route takes the request. */
function findMiss(name: string, { path, hosts, methods }: RoutePattern, facts: Facts): Miss[] {
  const asked = facts.target.decodedPath
  const found: Pick<Miss, 'kind' | 'why'>[] = []
  if (!isTaken({ path }, facts)) {
    const kind = findPathKind(path, facts)
    const differs = kind === 'path' ? '' : `, the request's ${asked}: the ${kind} differs`
    found.push({ kind, why: `its path is ${path}${differs}` })
  }
  if (hosts !== undefined && !isTaken({ path: '/*', hosts }, facts)) {
    const why = `it takes the host ${hosts.join(', ')}, the request has ${facts.host.name}`
    found.push({ kind: 'host', why })
  }
  if (methods !== undefined && !isTaken({ path: '/*', methods }, facts)) {
    const why = `it takes ${methods.join(', ')}, the request is ${facts.method}`
    found.push({ kind: 'method', why })
  }
  const [first] = found
  if (first === undefined) return []
  const why = found.map((each) => each.why).join('; ')
  return [{ name, path, kind: first.kind, why, faults: found.length }]
}

function isTaken(
  match: RoutePattern,
  { method, host, target }: Facts,
  decodedPath = target.decodedPath,
): boolean {
  const { table } = compileRouteTable([{ name: '', match, route: true }])
  const found = table.match(method, host.name, { ...target, decodedPath, plain: true })
  return found !== undefined && !('refused' in found)
}

function findPathKind(path: string, facts: Facts): Miss['kind'] {
  const asked = facts.target.decodedPath
  if (isTaken({ path: path.toLowerCase() }, facts, asked.toLowerCase())) return 'letter case'
  const toggled = asked.endsWith('/') ? asked.slice(0, -1) : `${asked}/`
  if (toggled !== '' && isTaken({ path }, facts, toggled)) return 'last slash'
  const written = path.replace(/\/\*$/, '')
  const { length } = written.split('/')
  const beginning = path.endsWith('/*') ? asked.split('/').slice(0, length).join('/') : asked
  return suggest(beginning, [written]) === undefined ? 'path' : 'spelling'
}
