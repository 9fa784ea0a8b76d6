// Finds the most specific route of a request, and every other route that a looser reading of its path would reach.
// Compiled once into a tree of segments; the order of the configuration never matters.
import { type Refusal, toAmbiguous } from '../http/refusal.ts'
import type { RequestTarget } from '../http/request-target.ts'
import {
  type HostPattern,
  matchesHost,
  type PathPattern,
  parseHostPattern,
  parsePathPattern,
  type RoutePattern,
} from './pattern.ts'
import { readingsOf } from './readings.ts'

export interface RouteMatch<R> {
  readonly route: R
  /** Other routes, which have to allow the request too (CONTRACT: no weaker reading). */
  readonly others: readonly R[]
}

export interface RouteTable<R> {
  /** Undefined when no route matches the path as written. */
  match(
    method: string,
    hostName: string,
    target: RequestTarget,
  ): RouteMatch<R> | Refusal | undefined
  /** Every route, most specific first. */
  readonly inOrder: readonly R[]
}

/** Why an entry cannot stand in the table. */
export interface RouteProblem {
  /** Position of the entry. */
  readonly index: number
  readonly message: string
}

export interface RouteEntry<R> {
  readonly name: string
  readonly match: RoutePattern
  readonly route: R
}

/** An entry for hosts of one kind; an entry that names both kinds has two. */
interface Candidate<R> {
  readonly index: number
  readonly name: string
  readonly hosts: readonly HostPattern[]
  readonly methods: readonly string[] | undefined
  /** Higher is tried first: an exact host, a wildcard host, no host; each with methods before without. */
  readonly rank: number
  /** The answer where no reading brings in another route; made once. */
  readonly alone: RouteMatch<R>
}

/** One segment of the tree. Candidates are sorted, most specific first. */
interface Branch<R> {
  readonly children: Map<string, Branch<R>>
  readonly exact: Candidate<R>[]
  /** Routes that end in `/*` here: for every path that goes on below this branch. */
  readonly below: Candidate<R>[]
}

/** Compiles entries in any order. Entries with a problem are left out of the table. */
export function compileRouteTable<R>(entries: readonly RouteEntry<R>[]): {
  readonly table: RouteTable<R>
  readonly problems: readonly RouteProblem[]
} {
  const root = createBranch<R>()
  const problems: RouteProblem[] = []
  const placed: { entry: RouteEntry<R>; path: PathPattern }[] = []
  entries.forEach((entry, index) => {
    const path = parsePathPattern(entry.match.path)
    if ('problem' in path) {
      problems.push({ index, message: `path ${JSON.stringify(entry.match.path)}: ${path.problem}` })
      return
    }
    const branch = path.segments.reduce(descend, root) as Branch<R>
    const siblings = path.prefix ? branch.below : branch.exact
    for (const candidate of toCandidates(entry, index)) {
      const rival = siblings.find((other) => couldTie(candidate, other))
      if (rival)
        problems.push({
          index,
          message: `could tie with route ${rival.name}: the same path, hosts and methods`,
        })
      siblings.push(candidate)
    }
    siblings.sort((a, b) => b.rank - a.rank)
    placed.push({ entry, path })
  })
  return { table: createTable(root, inMatchOrder(placed)), problems }
}

function createBranch<R>(): Branch<R> {
  return { children: new Map(), exact: [], below: [] }
}

function descend<R>(branch: Branch<R>, segment: string): Branch<R> {
  const child = branch.children.get(segment) ?? createBranch<R>()
  branch.children.set(segment, child)
  return child
}

function toCandidates<R>(entry: RouteEntry<R>, index: number): Candidate<R>[] {
  const { hosts, methods } = entry.match
  const patterns = hosts?.map(parseHostPattern)
  const kinds: [number, readonly HostPattern[]][] = patterns
    ? [
        [4, patterns.filter(({ kind }) => kind === 'exact')],
        [2, patterns.filter(({ kind }) => kind === 'wildcard')],
      ]
    : [[0, []]]
  const alone = { route: entry.route, others: [] }
  return kinds
    .filter(([rank, names]) => rank === 0 || names.length > 0)
    .map(([rank, names]) => ({
      index,
      name: entry.name,
      hosts: names,
      methods,
      rank: rank + (methods ? 1 : 0),
      alone,
    }))
}

/** Of one rank, and some request would match both. */
function couldTie<R>(a: Candidate<R>, b: Candidate<R>): boolean {
  if (a.rank !== b.rank) return false
  const sharesHost =
    a.hosts.length === 0 || a.hosts.some(({ name }) => b.hosts.some((h) => h.name === name))
  return sharesHost && (!a.methods || a.methods.some((method) => b.methods?.includes(method)))
}

function createTable<R>(root: Branch<R>, inOrder: readonly R[]): RouteTable<R> {
  // Where the last walk found no branch to go on; a path that ends before is beyond the reach of a last slash.
  let stoppedAt = 0

  function find(
    branch: Branch<R>,
    path: string,
    start: number,
    method: string,
    host: string,
  ): Candidate<R> | undefined {
    const end = path.indexOf('/', start)
    const child = branch.children.get(end === -1 ? path.slice(start) : path.slice(start, end))
    stoppedAt = start
    if (child !== undefined) {
      stoppedAt = path.length + 1
      const found =
        end === -1 ? pick(child.exact, method, host) : find(child, path, end + 1, method, host)
      if (found !== undefined) return found
    }
    return pick(branch.below, method, host)
  }

  function withOthers(
    found: Candidate<R>,
    readings: readonly string[],
    method: string,
    host: string,
  ): RouteMatch<R> {
    const others = new Set<R>()
    for (const reading of readings) {
      const other = find(root, reading, 1, method, host)
      if (other !== undefined && other.index !== found.index) others.add(other.alone.route)
    }
    return others.size === 0 ? found.alone : { route: found.alone.route, others: [...others] }
  }

  return {
    inOrder,
    match(method, host, { decodedPath: path, plain }) {
      const readings = plain ? undefined : readingsOf(path)
      if (!plain && readings === undefined) return toAmbiguous('a looser reading gains segments')
      const found = find(root, path, 1, method, host)
      if (found === undefined) return undefined
      if (readings !== undefined) return withOthers(found, readings, method, host)
      if (stoppedAt < path.length || path === '/') return found.alone
      return withOthers(found, [slashToggled(path)], method, host)
    },
  }
}

/** The path with its last slash removed, or one added. */
function slashToggled(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : `${path}/`
}

function pick<R>(
  candidates: readonly Candidate<R>[],
  method: string,
  host: string,
): Candidate<R> | undefined {
  for (const candidate of candidates) {
    const { hosts, methods } = candidate
    if (methods !== undefined && !methods.includes(method)) continue
    if (hosts.length === 0 || hosts.some((pattern) => matchesHost(pattern, host))) return candidate
  }
  return undefined
}

/** Exact before prefix, longer before shorter, with a host before without, with methods before without; then by name. */
function inMatchOrder<R>(placed: readonly { entry: RouteEntry<R>; path: PathPattern }[]): R[] {
  const keyOf = ({ entry: { match }, path }: (typeof placed)[number]) => [
    path.prefix ? 1 : 0,
    -path.segments.length,
    -path.segments.join('/').length,
    match.hosts === undefined ? 2 : match.hosts.every((host) => host.startsWith('*.')) ? 1 : 0,
    match.methods === undefined ? 1 : 0,
  ]
  return [...placed]
    .sort((a, b) => {
      const [left, right] = [keyOf(a), keyOf(b)]
      const differing = left.findIndex((value, i) => value !== right[i])
      if (differing === -1) return a.entry.name < b.entry.name ? -1 : 1
      return (left[differing] ?? 0) - (right[differing] ?? 0)
    })
    .map(({ entry }) => entry.route)
}
