// `poolgate credentials`: exchanges an ID token for temporary AWS credentials and prints them as AWS's programs take them from a
// credential_process. Prints nothing else on standard output, and no secret anywhere else.
import { isNoCredentials } from '../aws/aws-credentials.ts'
import { createIdentityPool } from '../aws/identity-pool.ts'
import { toIdentityPoolSettings } from '../aws/identity-pool-settings.ts'
import { type Login, toLogin } from '../aws/login.ts'
import { loginKeyOf, userPoolOf } from '../config/login-key.ts'
import type { Config } from '../config/schema.ts'
import { didYouMean } from '../config/suggest.ts'
import { createVerifier, isRejected } from '../token/verifier.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { fetchKeys, toPoolSettings } from './fetch-keys.ts'
import { readTokenFile } from './token-text.ts'

export interface CredentialsOptions {
  readonly tokenFile: string
  readonly identityPool?: string | undefined
}

/** What stands for a configuration, for whoever has none to read. */
export interface CredentialsFlags {
  readonly userPoolId?: string
  readonly clientId?: string
  readonly identityPoolId?: string
}

/** The text of a configuration with nothing but these; undefined where one of them is missing. */
export function toCredentialsConfig({
  userPoolId,
  clientId,
  identityPoolId,
}: CredentialsFlags): string | undefined {
  if (userPoolId === undefined || clientId === undefined || identityPoolId === undefined) {
    return undefined
  }
  // YAML takes JSON.
  return JSON.stringify({
    version: 1,
    userPools: { main: { userPoolId, clientIds: [clientId] } },
    identityPools: { main: { identityPoolId } },
    upstreams: { credentials: { handOut: { identityPool: 'main', clientIds: [clientId] } } },
    routes: [
      { name: 'all', match: { path: '/*' }, access: { tokenUse: 'id' }, upstream: 'credentials' },
    ],
  })
}

export async function printCredentials(
  config: Config,
  options: CredentialsOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const name = findPool(config, options.identityPool)
  if ('problem' in name) return fail(name.problem, 2, context)
  const token = await readTokenFile(options.tokenFile, context.readStdin)
  if (typeof token === 'object') return fail(token.problem, 2, context)
  const login = await toVerifiedLogin(name.found, token ?? '', config, context)
  if ('problem' in login) return fail(login.problem, login.code, context)
  const settings = config.identityPools[name.found] as Config['identityPools'][string]
  const pool = createIdentityPool(toIdentityPoolSettings(settings), {
    clock: context.clock,
    random: Math.random,
    changed: () => undefined,
  })
  const result = await pool.find(login)
  if (isNoCredentials(result)) {
    const problem = `no credentials: ${result.detail}`
    return fail(problem, result.kind === 'denied' ? 3 : 1, context)
  }
  const document = {
    Version: 1,
    AccessKeyId: result.accessKeyId,
    SecretAccessKey: result.secretAccessKey,
    SessionToken: result.sessionToken,
    Expiration: new Date(result.expiresAtMs).toISOString(),
  }
  context.stdout(`${JSON.stringify(document, null, 2)}\n`)
  return 0
}

function fail(problem: string, code: ExitCode, { stderr }: CommandContext): ExitCode {
  stderr(`${problem}\n`)
  return code
}

function findPool(
  { identityPools }: Config,
  name: string | undefined,
): { readonly found: string } | { readonly problem: string } {
  const names = Object.keys(identityPools)
  const [only, ...others] = names
  if (only === undefined) return { problem: 'the configuration has no identityPools' }
  if (name === undefined) {
    if (others.length === 0) return { found: only }
    return { problem: `--identity-pool is needed where there are several: ${names.join(', ')}` }
  }
  if (Object.hasOwn(identityPools, name)) return { found: name }
  return { problem: `there is no identity pool ${name}${didYouMean(name, names)}` }
}

/** As the gateway verifies it, so that what is wrong with a token is told in the same words. */
async function toVerifiedLogin(
  identityPool: string,
  token: string,
  config: Config,
  { clock, stderr }: CommandContext,
): Promise<Login | { readonly problem: string; readonly code: ExitCode }> {
  const name = userPoolOf(identityPool, config)
  const pool = config.userPools[name]
  if (pool === undefined) return { problem: 'the configuration has no userPools', code: 2 }
  const keys = await fetchKeys(pool, clock, (problem) => stderr(`keys of ${name}: ${problem}\n`))
  const verifier = createVerifier({
    clock,
    cache: { entries: 1, bytes: 1_000_000, ttlMs: 1 },
    pools: [{ settings: toPoolSettings(name, pool), keys }],
    toPrincipal: (verified) => verified,
  })
  const outcome = await verifier.verify(token, { userPool: name, tokenUse: 'id' })
  keys.stop()
  if (isRejected(outcome)) {
    const { reason, detail } = outcome
    if (reason === 'keys_unavailable') return { problem: `no credentials: ${detail}`, code: 1 }
    return { problem: `the ID token is refused: ${reason} (${detail})`, code: 3 }
  }
  const { claims, validUntilMs } = outcome
  return toLogin(loginKeyOf(identityPool, config), token, claims, validUntilMs)
}
