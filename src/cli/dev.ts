// `poolgate dev`: a dev user pool, a demo upstream and a gateway between them, all on loopback, until SIGTERM or SIGINT.
import { createServer } from 'node:net'
import { listenOn } from '../base/listen.ts'
import { type LoadedConfig, loadConfig, loadConfigFile } from '../config/load.ts'
import type { Gateway, GatewayPorts } from '../gateway.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { type DemoUpstreams, type DevSettings, toDemoConfig, withDevPool } from './dev-config.ts'
import { type GuideFacts, toGuide } from './dev-guide.ts'
import { findServeProblems, loadChecked } from './serve.ts'

export interface DevOptions {
  /** Undefined: the built-in users. */
  readonly users?: string | undefined
  /** Where the dev pool keeps its users. Undefined: in memory only. */
  readonly data?: string | undefined
  /** Of the gateway. Undefined: 8080, or a free one. */
  readonly port?: string | undefined
  /** Of the dev pool. Undefined: 9229, or a free one. */
  readonly poolPort?: string | undefined
  /** Runs this configuration in place of the demo routes, with the dev pool in place of its user pools. */
  readonly config?: string | undefined
  /** Access lines and information on standard output, below the guide. */
  readonly verbose?: boolean | undefined
}

export type CreateGateway = (loaded: LoadedConfig, ports: GatewayPorts) => Gateway
type DevPool = import('../dev-pool/dev-pool.ts').DevPool
type StartedUpstreams = import('../dev-pool/demo-upstreams.ts').DemoUpstreams

type Stop = () => Promise<void>

const HOST = '127.0.0.1'
const DEFAULT_PORT = 8080
const DEFAULT_POOL_PORT = 9229
const DEFAULT_ADMIN_PORT = 9090
/** A long users file would bury the rest; any other token is one `token mint` away. */
const MAX_TOKENS = 5

export async function dev(
  options: DevOptions,
  context: CommandContext,
  createGateway: CreateGateway,
): Promise<ExitCode> {
  const misuse = findMisuse(options)
  if (misuse !== undefined) {
    context.stderr(`${misuse}\n`)
    return 2
  }
  const stops: Stop[] = []
  let stopped = true
  let code: ExitCode
  try {
    code = await run(options, context, createGateway, stops)
  } catch (error) {
    if (!isExpected(error)) throw error
    context.stderr(`${toStartProblem(error as NodeJS.ErrnoException, options)}\n`)
    code = 1
  } finally {
    stopped = await stopAll(stops, context)
  }
  return stopped ? code : 70
}

/** @param stops gets what ends each part, in the order of their start */
async function run(
  options: DevOptions,
  context: CommandContext,
  createGateway: CreateGateway,
  stops: Stop[],
): Promise<ExitCode> {
  const pool = await startPool(options, context)
  stops.push(pool.stop)
  const upstreams = await startUpstreams(options, pool, context)
  if (upstreams) stops.push(upstreams.stop)
  const settings = await toSettings(options, context)
  const loaded = loadDev(options.config, pool, upstreams, settings, context)
  if (loaded === undefined) return 1
  const { clock, version, stdout } = context
  const gateway = createGateway(loaded, { clock, version, logDestination: { write: stdout } })
  stops.push(gateway.stop)
  const stopped = onStop(context, gateway)
  const { origin, adminOrigin } = await gateway.start()
  const facts = await toFacts(pool, origin, adminOrigin, upstreams, context)
  stdout(toGuide({ ...facts, signInUrl: toSignInUrl(loaded, settings) }))
  await stopped
  return 0
}

async function toSettings(options: DevOptions, context: CommandContext): Promise<DevSettings> {
  const { port, verbose = false } = options
  return {
    // Browsers are sent back to it, so it has to be known before it is listened on.
    port:
      (await choosePort(port, { usual: DEFAULT_PORT, what: 'gateway' }, context)) ||
      (await freePort()),
    // Whoever takes any port for the gateway takes any for this too.
    adminPort: await choosePort(
      port === '0' ? '0' : undefined,
      { usual: DEFAULT_ADMIN_PORT, what: 'admin listener', reserved: port },
      context,
    ),
    verbose,
  }
}

async function startPool(options: DevOptions, context: CommandContext): Promise<DevPool> {
  const { startDevPool } = await import('../dev-pool/dev-pool.ts')
  const { stderr } = context
  return startDevPool({
    clock: context.clock,
    usersFile: options.users,
    dataFile: options.data,
    onMessage: (username, text) => stderr(`to ${username}: ${text}\n`),
    port: await choosePort(
      options.poolPort,
      { usual: DEFAULT_POOL_PORT, what: 'dev user pool', reserved: options.port },
      context,
    ),
    onUsersChange: (problem) =>
      stderr(problem ? `the former users stay:\n${problem}\n` : 'the new users are in force\n'),
    onFault: (error) => stderr(`dev user pool: ${(error as Error).stack}\n`),
  })
}

/** Behind the demo's routes; undefined where a file names its own. */
async function startUpstreams(
  { config }: DevOptions,
  { identityPool }: DevPool,
  { clock, stderr }: CommandContext,
): Promise<StartedUpstreams | undefined> {
  if (config !== undefined) return undefined
  const { startDemoUpstreams } = await import('../dev-pool/demo-upstreams.ts')
  return startDemoUpstreams(identityPool, clock, (error) =>
    stderr(`S3 stand-in: ${(error as Error).stack}\n`),
  )
}

/** @param upstreams undefined where a file names its own */
function loadDev(
  file: string | undefined,
  pool: DevPool,
  upstreams: DemoUpstreams | undefined,
  settings: DevSettings,
  context: CommandContext,
): LoadedConfig | undefined {
  return loadChecked(
    () => {
      if (upstreams !== undefined) {
        return loadConfig(toDemoConfig(pool, upstreams, settings), '(demo)', {})
      }
      return withDevPool(loadConfigFile(file ?? '', context.env), pool, settings)
    },
    context,
    findServeProblems,
  )
}

/** Resolves once a signal has ended the gateway, well or badly: `stopAll` tells. A second signal cuts what is left. */
function onStop({ onSignal }: CommandContext, gateway: Gateway): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => void gateway.stop().then(resolve, () => resolve())
    onSignal('SIGTERM', stop)
    onSignal('SIGINT', stop)
  })
}

/** Ends every part, whatever becomes of the others; false after a failure, which is told. */
async function stopAll(stops: readonly Stop[], { stderr }: CommandContext): Promise<boolean> {
  let stopped = true
  for (const stop of stops.toReversed()) {
    try {
      await stop()
    } catch (error) {
      stopped = false
      stderr(`internal error: stopping failed: ${(error as Error).stack}\n`)
    }
  }
  return stopped
}

async function toFacts(
  pool: DevPool,
  gateway: string,
  admin: string | undefined,
  upstreams: DemoUpstreams | undefined,
  { invocation }: CommandContext,
): Promise<Omit<GuideFacts, 'signInUrl'>> {
  const { MINT_PATH } = await import('../dev-pool/mint-endpoint.ts')
  const { isReadable } = await import('../dev-pool/password.ts')
  // Whom the users file names: nobody can sign in here as the others, whose passwords only they know.
  const users = pool
    .users()
    .flatMap(({ password, ...user }) =>
      password !== undefined && isReadable(password) ? [{ ...user, password }] : [],
    )
  const names = users.filter(({ enabled }) => enabled).slice(0, MAX_TOKENS)
  const tokens = await Promise.all(
    names.map(async ({ username }) => [username, await pool.mint(username)] as const),
  )
  const mintUrl = pool.origin + MINT_PATH
  return {
    gateway,
    admin,
    upstream: upstreams?.demo.origin,
    files: upstreams && `${upstreams.files.origin}/${upstreams.files.bucket}`,
    pool,
    mintUrl,
    users,
    invocation,
    tokens: new Map(tokens),
  }
}

/** Of the first route that signs browsers in; by the name that every browser takes cookies for without TLS. */
function toSignInUrl({ config }: LoadedConfig, { port }: DevSettings): string | undefined {
  const route = config.routes.find(
    ({ signIn, match: { hosts, methods = ['GET'] } }) =>
      signIn !== undefined && hosts === undefined && methods.includes('GET'),
  )
  return route && `http://localhost:${port}${route.match.path.replace(/\*$/, '')}`
}

/** What is wrong with the ports that were asked for, where they are wrong in themselves. */
function findMisuse({ port, poolPort }: DevOptions): string | undefined {
  const wrong = [port, poolPort].find((given) => given !== undefined && !isPort(given))
  if (wrong !== undefined) return `${wrong} is not a port: give a number from 0 to 65535`
  const same = port !== undefined && Number(port) !== 0 && Number(port) === Number(poolPort)
  return same ? `--port and --pool-port cannot both be ${port}` : undefined
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
}

interface PortWish {
  readonly usual: number
  /** Who gets it. */
  readonly what: string
  /** Asked for by a flag for someone else. */
  readonly reserved?: string | undefined
}

/** The given port; else the usual one, or a free one with a note where that is taken. */
async function choosePort(
  given: string | undefined,
  { usual, what, reserved }: PortWish,
  { stderr }: CommandContext,
): Promise<number> {
  if (given !== undefined) return Number(given)
  if (Number(reserved) !== usual && (await isFree(usual))) return usual
  stderr(`port ${usual} is taken: the ${what} gets another one\n`)
  return 0
}

async function freePort(): Promise<number> {
  const probe = createServer()
  const address = await listenOn(probe, { kind: 'tcp', host: HOST, port: 0 })
  await new Promise((resolve) => probe.close(resolve))
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  try {
    await listenOn(probe, { kind: 'tcp', host: HOST, port })
    await new Promise((resolve) => probe.close(resolve))
    return true
  } catch {
    return false
  }
}

/** A bad users file or data file, or a port that cannot be had; anything else is a defect. */
function isExpected(error: unknown): boolean {
  const { name, code, syscall } = error as NodeJS.ErrnoException
  const isFile = name === 'UsersFileError' || name === 'DataFileError'
  return isFile || (code !== undefined && syscall === 'listen')
}

/** For a port that a flag asked for: which flag, and what to do. */
function toStartProblem(error: NodeJS.ErrnoException, { port, poolPort }: DevOptions): string {
  if (error.syscall !== 'listen') return error.message
  const { port: wanted } = error as { port?: number }
  const asked = [
    ['--port', port],
    ['--pool-port', poolPort],
  ].find(([, given]) => given !== undefined && Number(given) === wanted)
  if (asked === undefined) return `cannot start: ${error.message}`
  const [flag] = asked
  if (error.code === 'EADDRINUSE') {
    return `cannot start: ${flag} ${wanted}: another program listens on ${HOST}:${wanted}; stop it, give another port, or leave ${flag} out`
  }
  return `cannot start: ${flag} ${wanted}: ${error.message}; give another port, or leave ${flag} out`
}
