// Holds the shape of the source as data: who may import whom, who may open which dependency, and the house numbers.
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { type Node, parse } from 'acorn'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')
const SRC = join(ROOT, 'src')

/** Folder → folders that its files may import, beside their own. Files directly in src go by their name. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  http: ['base'],
  config: ['base', 'http'],
  route: ['base', 'http'],
  token: ['base', 'http'],
  aws: ['base', 'http', 'config', 'token'],
  session: ['base', 'http', 'config', 'token'],
  policy: ['base', 'http', 'config', 'route', 'token', 'aws', 'session'],
  upstream: ['base', 'http', 'config', 'route', 'token', 'aws', 'policy'],
  telemetry: ['base', 'http', 'config', 'token', 'policy'],
  proxy: [
    'base',
    'http',
    'config',
    'route',
    'token',
    'aws',
    'session',
    'policy',
    'upstream',
    'telemetry',
  ],
  'external-auth': ['base', 'http', 'config', 'session', 'policy', 'telemetry', 'proxy'],
  'dev-pool': ['base', 'http'],
  'gateway.ts': [
    'base',
    'http',
    'config',
    'route',
    'token',
    'session',
    'policy',
    'upstream',
    'telemetry',
    'proxy',
    'external-auth',
  ],
  explain: [
    'base',
    'http',
    'config',
    'route',
    'token',
    'aws',
    'session',
    'policy',
    'proxy',
    'external-auth',
  ],
  cli: ['base', 'http', 'config', 'route', 'token', 'aws', 'policy', 'explain', 'gateway.ts'],
  'main.ts': ['base', 'cli'],
}

/** Files that may load the dev pool, and only by a dynamic import. */
const DEV_POOL_DOORS = ['cli/dev.ts', 'cli/token-mint.ts']

/** Dependency → the only places (files or folders) that may import it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-ec2': ['upstream/ec2-lookup.ts'],
  '@aws-sdk/credential-providers': ['aws/gateway-credentials.ts'],
  '@smithy/signature-v4': ['aws/sigv4.ts'],
  '@smithy/eventstream-codec': ['aws/lambda-stream.ts'],
  '@grpc/grpc-js': ['external-auth/check-listener.ts'],
  protobufjs: ['external-auth/check-messages.ts'],
  undici: ['upstream', 'base/fetch-json.ts', 'base/bounded-fetch.ts'],
  jose: ['token/key-set.ts', 'session/seal.ts', 'dev-pool'],
  ioredis: ['session/redis-shelf.ts'],
  oauth4webapi: ['session/managed-login.ts'],
  'csv-parse/sync': ['dev-pool'],
  'lru-cache': ['token/token-cache.ts', 'session', 'aws'],
  yaml: ['config', 'dev-pool'],
  zod: ['config'],
  'prom-client': ['telemetry/metrics.ts'],
  pino: ['telemetry/log.ts', 'telemetry/line-writer.ts'],
  commander: ['cli'],
}

interface Source {
  /** Path below src. */
  readonly path: string
  readonly text: string
  readonly lines: number
  /** Import specifiers, those of `import()` included. */
  readonly imports: readonly { readonly from: string; readonly dynamic: boolean }[]
}

function readSources(): Source[] {
  const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8')
      const statics = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'/gms)]
      const dynamics = [...text.matchAll(/\bimport\(\s*'([^']+)'/g)]
      return {
        path,
        text,
        lines: text.split('\n').length - 1,
        imports: [
          ...statics.map((match) => ({ from: match[1] ?? '', dynamic: false })),
          ...dynamics.map((match) => ({ from: match[1] ?? '', dynamic: true })),
        ],
      }
    })
}

/** The folder of a path below src, or the file's own name where it lies in src itself. */
function unitOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function targetOf(source: Source, specifier: string): string {
  return relative(SRC, join(SRC, dirname(source.path), specifier))
}

function isWithin(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`))
}

/** Lines of every function, without the lines of functions inside it. */
function functionLengths(source: Source): { readonly line: number; readonly length: number }[] {
  const ast = parse(stripTypeScriptTypes(source.text), {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    locations: true,
  })
  const found: { line: number; length: number }[] = []
  const visit = (node: Node): number => {
    let inner = 0
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === 'string') inner += visit(child as Node)
      }
    }
    if (!/Function/.test(node.type) || !node.loc) return inner
    const whole = node.loc.end.line - node.loc.start.line + 1
    found.push({ line: node.loc.start.line, length: whole - inner })
    // A function on one line of another one takes nothing away from it.
    return whole > 1 ? whole : inner
  }
  visit(ast)
  return found
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
}

const sources = readSources()

t.test('files import only from the folders that the table allows', async (t) => {
  for (const source of sources) {
    const unit = unitOf(source.path)
    const allowed = IMPORTS[unit]
    t.ok(allowed, `${unit} stands in the table`)
    for (const { from, dynamic } of source.imports) {
      if (!from.startsWith('.')) continue
      const to = unitOf(targetOf(source, from))
      if (to === unit || allowed?.includes(to)) continue
      const isDoor = to === 'dev-pool' && dynamic && DEV_POOL_DOORS.includes(source.path)
      t.ok(isDoor, `${source.path} may import ${from}`)
    }
  }
})

t.test('dependencies are imported only through their doors', async (t) => {
  for (const source of sources) {
    for (const { from } of source.imports) {
      if (from.startsWith('.') || from.startsWith('node:')) continue
      const doors = DOORS[from]
      t.ok(doors && isWithin(source.path, doors), `${source.path} may import ${from}`)
    }
  }
})

t.test('no file imports itself by a detour', async (t) => {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      source.imports
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => targetOf(source, from)),
    ]),
  )
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      t.fail(`a cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`)
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  t.equal(done.size, sources.length)
})

t.test('only main reads the clock and the environment of the process', async (t) => {
  for (const { path, text } of sources) {
    if (path === 'main.ts') continue
    t.notMatch(
      text,
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/,
      `${path} is handed its clock`,
    )
    t.notMatch(text, /\bprocess\.(env|argv|exit|on)\b/, `${path} is handed its environment`)
  }
})

t.test(
  'every file says what it is for, is named after its export and keeps no state of its own',
  async (t) => {
    for (const { path, text } of sources) {
      const [first = '', ...rest] = text.replace(/^#!.*\n/, '').split('\n')
      const comment = [first, ...rest].findIndex((line) => !line.startsWith('//'))
      t.ok(comment >= 1 && comment <= 3, `${path} opens with one to three lines of comment`)
      t.match(basename(path), /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/, `${path} is in kebab-case`)
      t.not(basename(path), 'index.ts', 'no barrel')
      t.notMatch(text, /^(export )?(let|var) /m, `${path} has no module-level variable`)
      t.notMatch(
        text,
        /^export default|^(export )?(declare )?enum /m,
        `${path} has no default export or enum`,
      )
      t.notMatch(text, /\bTODO\b|\bFIXME\b|console\.log|\bbackend\b/i, `${path} has no loose end`)
    }
  },
)

t.test('files and functions keep the house numbers', async (t) => {
  const functions = sources.flatMap((source) =>
    functionLengths(source).map((one) => ({ ...one, path: source.path })),
  )
  for (const { path, lines } of sources)
    t.ok(lines <= 300, `${path} has ${lines} lines, at most 300`)
  for (const { path, line, length } of functions) {
    if (length > 60) t.fail(`${path}:${line} is a function of ${length} lines, at most 60`)
  }
  const lengths = functions.map(({ length }) => length)
  t.ok(
    quantile(lengths, 0.5) <= 8,
    `the median function has ${quantile(lengths, 0.5)} lines, at most 8`,
  )
  t.ok(
    quantile(lengths, 0.9) <= 35,
    `nine in ten functions have ${quantile(lengths, 0.9)} lines, at most 35`,
  )
  const median = quantile(
    sources.map(({ lines }) => lines),
    0.5,
  )
  t.ok(median <= 120, `the median file has ${median} lines, about 110`)
})

t.test('tests mirror the source one to one', async (t) => {
  const mirrored = Object.keys(IMPORTS).filter((unit) => !unit.endsWith('.ts'))
  const paths = new Set(sources.map(({ path }) => path))
  for (const unit of mirrored) {
    const names = readdirSync(join(ROOT, 'test', unit), { encoding: 'utf8' })
    for (const name of names.filter((name) => name.endsWith('.test.ts'))) {
      t.ok(
        paths.has(`${unit}/${name.replace('.test.ts', '.ts')}`),
        `test/${unit}/${name} has its source`,
      )
    }
  }
})
