// The command line: which commands there are and what they take. Each does its work in a file of its own.
import { Command, CommanderError, Option } from 'commander'
import { ENDPOINTS } from '../explain/question.ts'
import { createGateway } from '../gateway.ts'
import { check } from './check.ts'
import { printCredentials, toCredentialsConfig } from './credentials.ts'
import { loadConfig } from '../config/load.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { explainRequest } from './explain.ts'
import { CONFIG_FLAGS, findMissing, type Flags, loadFileOrFlags } from './flags-config.ts'
import { healthcheck } from './healthcheck.ts'
import { routes } from './routes.ts'
import { schema } from './schema.ts'
import { findServeProblems, loadChecked, serve } from './serve.ts'
import { inspectToken } from './token-inspect.ts'
import { mintToken } from './token-mint.ts'

interface ConfigOption {
  readonly config?: string
}

/** Runs one command line (without the program's name) and gives the exit code. */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  let code: ExitCode = 0
  const program = createProgram(context, (result) => {
    code = result
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      context.stderr(`internal error: ${(error as Error).stack ?? String(error)}\n`)
      return 70
    }
    return error.exitCode === 0 ? 0 : 2
  }
}

function createProgram(context: CommandContext, done: (code: ExitCode) => void): Command {
  const program = new Command('poolgate')
    .description('A streaming reverse proxy that knows Amazon Cognito.')
    .version(context.version)
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr })
    .showHelpAfterError(`(${context.invocation} --help tells more)`)
  addDev(program, context, done)
  addServe(program, context, done)
  addCheck(program, context, done)
  addExplain(program, context, done)
  addToken(program, context, done)
  addCredentials(program, context, done)
  program
    .command('routes')
    .description('the route table in match order')
    .requiredOption('--config <file>', 'the configuration')
    .action(({ config }: ConfigOption) => {
      const loaded = loadChecked(() => loadFileOrFlags(config, {}, context.env), context)
      done(loaded === undefined ? 1 : routes(loaded.config, context))
    })
  program
    .command('schema')
    .description("the configuration's JSON Schema")
    .addOption(formatOption('json', 'markdown'))
    .action(async (options) => done(await schema(options, context)))
  program
    .command('healthcheck [url]')
    .description('exit 0 when /readyz answers 200 (default: http://127.0.0.1:9090/readyz)')
    .action(async (url) => done(await healthcheck(url, context)))
  return program
}

type Add = (program: Command, context: CommandContext, done: (code: ExitCode) => void) => void

const addServe: Add = (program, context, done) => {
  const command = program
    .command('serve')
    .description('runs the gateway until SIGTERM or SIGINT; SIGHUP reads the configuration again')
    .option('--config <file>', 'the configuration; without it the flags below, one protected route')
    .action(async ({ config, ...flags }: ConfigOption & Flags) => {
      const missing = config === undefined ? findMissing(flags, context.env) : undefined
      if (missing !== undefined) command.error(`error: give --config FILE, or ${missing}`)
      done(await serve(() => loadFileOrFlags(config, flags, context.env), context))
    })
  addConfigFlags(command)
}

const addCheck: Add = (program, context, done) => {
  const command = program
    .command('check [file]')
    .description('validates a configuration: exit 0, or 1 with every problem at its place')
    .option('--print', 'print the effective configuration, secrets as they are written')
    .addOption(formatOption('text', 'json'))
    .action(async (file, { print, format, ...flags }) => {
      done(await check({ file, print, format, flags }, context, findServeProblems))
    })
  addConfigFlags(command)
}

const addDev: Add = (program, context, done) => {
  program
    .command('dev')
    .description('a dev user pool, a demo upstream and a gateway between them, on loopback')
    .option('--users <file>', 'users of the dev pool, as YAML (default: three built-in users)')
    .option('--data <file>', 'keeps users and groups of the dev pool from one run to the next')
    .option('--port <number>', "the gateway's port (default: 8080, or a free one)")
    .option('--pool-port <number>', "the dev pool's port (default: 9229, or a free one)")
    .option('--config <file>', 'your routes in place of the demo ones, still with the dev pool')
    .option('--verbose', 'access lines and information on standard output')
    .action(async (options) => {
      const { dev } = await import('./dev.ts')
      done(await dev(options, context, createGateway))
    })
}

const addExplain: Add = (program, context, done) => {
  program
    .command('explain <method> <url>')
    .description('the decision for one request, step by step: exit 0 when it is allowed, else 3')
    .requiredOption('--config <file>', 'the configuration')
    .option(
      '--token-file <file>',
      'a file with the token, or with a line `Authorization: Bearer …`; - for standard input',
    )
    .option('--header <line>', "a header field, 'Name: value'; repeat for more", toList)
    .option('--peer <address>', 'who sends the request, or asks about it (default: 127.0.0.1)')
    .addOption(
      new Option('--via <endpoint>', 'as an ingress asks about the request').choices(ENDPOINTS),
    )
    .option('--json', 'print it as JSON')
    .action(async (method: string, url: string, { config, ...options }) => {
      const loaded = loadChecked(() => loadFileOrFlags(config, {}, context.env), context)
      if (loaded === undefined) return done(1)
      done(await explainRequest(loaded.config, method, url, options, context))
    })
}

const addCredentials: Add = (program, context, done) => {
  const command = program
    .command('credentials')
    .description('temporary AWS credentials for an ID token, as credential_process takes them')
    .option('--config <file>', 'the configuration; without it the three ids below')
    .option('--user-pool-id <id>', 'the user pool that issued the token')
    .option('--client-id <id>', 'the app client that the token is for')
    .option('--identity-pool-id <id>', 'the identity pool')
    .requiredOption('--token-file <file>', 'a file with the ID token; - for standard input')
    .option('--identity-pool <name>', 'which of identityPools; may be left out where there is one')
    .action(async ({ config, ...options }) => {
      const text = config === undefined ? toCredentialsConfig(options) : undefined
      if (config === undefined && text === undefined) {
        command.error('error: give --config, or --user-pool-id, --client-id, --identity-pool-id')
      }
      const load = () =>
        text === undefined
          ? loadFileOrFlags(config, {}, context.env)
          : loadConfig(text, 'command line', {})
      const loaded = loadChecked(load, context)
      done(loaded === undefined ? 1 : await printCredentials(loaded.config, options, context))
    })
}

const addToken: Add = (program, context, done) => {
  const token = program.command('token').description('looks into tokens, or makes them')
  token
    .command('inspect [token]')
    .description('header, claims and times of a token, and what each configured pool says of it')
    .option('--config <file>', 'ask the user pools of this configuration')
    .action(async (given: string | undefined, { config }: ConfigOption) => {
      const text = given === undefined || given === '-' ? await context.readStdin() : given
      const load = () => loadFileOrFlags(config, {}, context.env)
      const loaded = config === undefined ? undefined : loadChecked(load, context)
      if (config !== undefined && loaded === undefined) return done(1)
      done(await inspectToken(text.trim(), loaded?.config, context))
    })
  token
    .command('mint <user>')
    .description('dev pool only: a token of one of its users, and nothing else, on standard output')
    .option('--pool <url>', 'any URL of the running dev pool (default: http://127.0.0.1:9229)')
    .option('--use <use>', 'access or id (default: access)')
    .option('--expires-in <duration>', 'such as 10m; 0s makes a token that has expired')
    .option('--group <name>', "in place of the user's groups; repeat for more", toList)
    .option('--scope <scopes>', 'of an access token, separated by spaces')
    .option('--claim <name=value>', 'over everything else; repeat for more', toList)
    .action(async (user, options) => done(await mintToken(user, options, context)))
}

function addConfigFlags(command: Command): void {
  for (const { name, value, env, description, list } of CONFIG_FLAGS) {
    const option = new Option(`--${name} <${value}>`, `${description} [$${env}]`)
    command.addOption(list ? option.argParser(toList) : option)
  }
}

function toList(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}

function formatOption(first: string, second: string): Option {
  return new Option('--format <format>', 'how to print').choices([first, second]).default(first)
}
