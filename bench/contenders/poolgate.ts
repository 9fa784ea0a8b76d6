// Poolgate built from this repository's source, as its image ships it, with the engine that is its default and with undici.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningContender, World } from '../contender.ts'
import { freePort, launch } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')
// As the image's entry point has them.
const NODE_FLAGS = ['--max-semi-space-size=8']

type Engine = 'default' | 'undici'

export const poolgate = createContender('poolgate', 'default')
export const poolgateUndici = createContender('poolgate-undici', 'undici')

function createContender(name: string, engine: Engine): CheckedContender {
  return {
    name,
    verifies: true,
    missing: () => (engine === 'default' ? undefined : missingEngine(engine)),
    version: readVersion,
    start: (world, { workers, ...options }) => {
      if (workers > 1) throw new Error('one process')
      return startPoolgate(world, { name, engine, ...options })
    },
  }
}

export interface Build {
  readonly name: string
  readonly cpus: string
  readonly engine?: Engine
  /** Beside the measured one. */
  readonly routes?: number
  /** Beside the usual ones. */
  readonly settings?: object
  /** The compiled program, which may be another commit's; left out, this source's. */
  readonly main?: string
  /** Goes before its command. */
  readonly wrapper?: readonly [string, ...string[]]
}

export async function startPoolgate(world: World, build: Build): Promise<RunningContender> {
  const { name, cpus, main = builtMain(), wrapper } = build
  const port = await freePort()
  const adminPort = await freePort()
  const configFile = join(world.dir, `${name}-${port}.yaml`)
  writeFileSync(configFile, toYaml(toConfig(world, port, adminPort, build)))
  const own = [process.execPath, ...NODE_FLAGS, main, 'serve', '--config', configFile] as const
  const command = wrapper === undefined ? own : ([...wrapper, ...own] as const)
  return launch({ name, dir: world.dir, cpus, command, port })
}

let built: string | undefined

/** The compiled program: running from source adds the compiler to memory and start-up. Once for each run. */
function builtMain(): string {
  if (built !== undefined) return built
  const { status, stdout } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}`)
  built = join(ROOT, 'dist/main.js')
  return built
}

function toConfig(
  world: World,
  port: number,
  adminPort: number,
  { engine = 'default', routes = 0, settings }: Build,
): object {
  const userPoolId = world.issuer.slice(world.issuer.lastIndexOf('/') + 1)
  return {
    version: 1,
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${adminPort}`,
    userPools: {
      bench: {
        userPoolId,
        clientIds: [world.clientId],
        issuer: world.issuer,
        jwksUri: world.jwksUrl,
        jwksFile: world.jwksFile,
      },
    },
    upstreams: {
      bench: {
        targets: [`http://127.0.0.1:${world.upstreamPort}`],
        ...(engine === 'default' ? {} : { engine }),
      },
    },
    limits: { requestsPerConnection: 1_000_000_000 },
    identityHeaders: {
      'x-auth-subject': 'sub',
      'x-auth-groups': 'cognito:groups',
      'x-auth-client-id': 'client_id',
    },
    log: { level: 'warn', access: 'all' },
    routes: [toRoute('measured', '/*', world.group), ...toOtherRoutes(routes)],
    ...settings,
  }
}

function toOtherRoutes(count: number): object[] {
  return Array.from({ length: count }, (_, index) =>
    toRoute(`other-${index}`, `/other/${index}/items/*`, `group-${index}`),
  )
}

function toRoute(name: string, path: string, group: string): object {
  const access = { tokenUse: 'access', groups: { anyOf: [group] } }
  return { name, match: { path }, access, upstream: 'bench' }
}

/** JSON is YAML. */
function toYaml(config: object): string {
  return JSON.stringify(config, undefined, 2)
}

/** Asked of `poolgate check`, because the setting is younger than some commits that are measured. */
function missingEngine(engine: Engine): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-bench-'))
  try {
    const file = join(dir, 'poolgate.yaml')
    writeFileSync(file, toYaml({ version: 1, ...probeConfig(engine) }))
    const { status } = spawnSync(process.execPath, [MAIN, 'check', file], { encoding: 'utf8' })
    return status === 0 ? undefined : `This commit of Poolgate has no engine: ${engine}.`
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function probeConfig(engine: Engine): object {
  return {
    upstreams: { bench: { targets: ['http://127.0.0.1:1'], engine } },
    routes: [{ name: 'probe', match: { path: '/*' }, access: 'public', upstream: 'bench' }],
  }
}

function readVersion(): string {
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const commit = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: ROOT,
    encoding: 'utf8',
  }).stdout
  return [version, commit.trim(), `Node ${process.version}`].join(' ')
}
