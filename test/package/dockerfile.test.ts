// What can be known of the image without building one: what the Dockerfile says, and that what it compiles runs.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')

interface Instruction {
  readonly name: string
  readonly rest: string
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** The instructions of each stage, continued lines joined. */
function parseStages(text: string): Instruction[][] {
  const stages: Instruction[][] = []
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  for (const line of lines.filter((each) => each !== '')) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, rest })
  }
  return stages
}

const [build = [], runtime = [], ...others] = parseStages(read('Dockerfile'))

const lastOf = (name: string): string | undefined =>
  runtime.findLast((instruction) => instruction.name === name)?.rest

t.test('there are two stages and both name the same release of Node', async (t) => {
  t.equal(others.length, 0)
  const [{ rest: first = '' } = {}, { rest: last = '' } = {}] = [build[0], runtime[0]]
  t.equal(first, 'node:26-slim AS build')
  t.equal(last, 'node:26-slim')
})

t.test('it runs as a numbered user that is not root', async (t) => {
  t.match(lastOf('USER'), /^[1-9]\d*:[1-9]\d*$/)
  const afterUser = runtime.slice(runtime.findIndex(({ name }) => name === 'USER'))
  t.notOk(afterUser.some(({ name }) => ['RUN', 'COPY', 'ADD'].includes(name)))
})

t.test(
  'the runtime stage installs from the lockfile, without what develops or is optional',
  async (t) => {
    const installs = runtime.filter(({ name, rest }) => name === 'RUN' && rest.includes('npm ci'))
    t.equal(installs.length, 1)
    for (const flag of ['--omit=dev', '--omit=optional', '--ignore-scripts']) {
      t.ok(installs[0]?.rest.includes(flag), flag)
    }
    for (const { rest } of [...build, ...runtime]) t.notMatch(rest, /npm (install|i) /)
  },
)

t.test(
  'the program is process 1, is told to stop by SIGTERM and can be asked for its health',
  async (t) => {
    t.equal(lastOf('ENTRYPOINT'), '["node", "--max-semi-space-size=8", "dist/main.js"]')
    t.equal(lastOf('CMD'), '["serve", "--config", "/etc/poolgate/config.yaml"]')
    t.equal(lastOf('STOPSIGNAL'), 'SIGTERM')
    t.match(lastOf('HEALTHCHECK'), '["node", "dist/main.js", "healthcheck"]')
    t.equal(lastOf('EXPOSE'), '8080 9090')
  },
)

t.test('the image says what it is, in the version of the package', async (t) => {
  const { version, license } = JSON.parse(read('package.json')) as Record<string, string>
  t.ok(runtime.some(({ name, rest }) => name === 'ARG' && rest === `VERSION=${version}`))
  t.match(lastOf('LABEL'), `org.opencontainers.image.licenses="${license}"`)
})

t.test('no secret gets into a layer', async (t) => {
  for (const { name, rest } of [...build, ...runtime]) {
    if (name === 'ARG' || name === 'ENV') t.notMatch(rest, /token|secret|password|key/i)
  }
})

t.test('what is copied exists and passes .dockerignore, which keeps all else out', async (t) => {
  const [first, ...rules] = read('.dockerignore')
    .split('\n')
    .filter((line) => /^[^#]/.test(line))
  t.equal(first, '*')
  const copies = [...build, ...runtime].filter(({ name }) => name === 'COPY')
  const paths = copies
    .filter(({ rest }) => !rest.startsWith('--from'))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1))
  t.ok(paths.length > 4)
  for (const path of paths) {
    t.ok(existsSync(join(ROOT, path)), path)
    t.ok(rules.includes(`!${path}`), `${path} is let through`)
  }
  t.same([...new Set(paths)].sort(), rules.map((rule) => rule.slice(1)).sort(), 'and nothing more')
})

t.test('the compiled program runs in plain Node', async (t) => {
  const app = t.testdir()
  const dist = join(app, 'dist')
  // The test runner adds NODE_OPTIONS to every program that is started here; env takes them away again.
  const start = (...args: readonly string[]) =>
    spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    })
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const compiled = start(tsc, '-p', 'tsconfig.build.json', '--outDir', dist)
  t.equal(compiled.status, 0, compiled.stdout + compiled.stderr)
  copyFileSync(join(ROOT, 'package.json'), join(app, 'package.json'))
  const run = start(join(dist, 'main.js'), '--version')
  const { version } = JSON.parse(read('package.json')) as { version: string }
  t.match(run, { status: 0, stdout: version }, run.stderr)
  t.test('and imports nothing that the image lacks', async (t) => assertInstalled(t, dist))
})

function assertInstalled(t: Test, dist: string): void {
  const { dependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>
  }
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue
    const text = readFileSync(join(dist, name), 'utf8')
    for (const [, from = ''] of text.matchAll(/(?:from|import\() ?'([^'.][^']*)'/g)) {
      const [scope = '', rest] = from.split('/')
      const dependency = from.startsWith('@') ? `${scope}/${rest}` : scope
      t.ok(isBuiltin(from) || dependency in dependencies, `${name} imports ${from}`)
    }
  }
}
