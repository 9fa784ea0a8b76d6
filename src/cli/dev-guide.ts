// What `poolgate dev` prints once it runs: where everything is, who may sign in, and lines to paste into a POSIX shell.
import { type ExampleFacts, type GuideUser, toExamples } from './dev-examples.ts'
import { toShellWord } from './shell-word.ts'

export interface GuideFacts extends ExampleFacts {
  readonly admin: string | undefined
  readonly pool: {
    readonly origin: string
    readonly issuer: string
    readonly clientId: string
    /** The one that browsers sign in with. */
    readonly webClientId: string
    readonly identityPool: { readonly id: string }
  }
  /** Where the stand-in for S3 has its bucket; undefined where a configuration file names its own upstreams. */
  readonly files: string | undefined
  /** Where a person can sign in and see who they are; undefined where no route lets browsers sign in. */
  readonly signInUrl: string | undefined
  /** The words that call this program. */
  readonly invocation: string
  /** Access tokens by username. */
  readonly tokens: ReadonlyMap<string, string>
}

export function toGuide(facts: GuideFacts): string {
  const examples = toExamples(facts).flatMap(({ status, about, command }) => [
    `# ${status}: ${about}`,
    command,
    '',
  ])
  return [
    'Poolgate runs on loopback, with a user pool of its own. Ctrl-C stops it.',
    '',
    ...toBrowserLines(facts),
    ...toTable(toAddresses(facts)),
    '',
    'USERS',
    '',
    ...toTable(toUserRows(facts.users)),
    '',
    'ACCESS TOKENS, ready made, good for one hour',
    '',
    ...[...facts.tokens].map(([username, token]) => `${toVariable(username)}=${token}`),
    '',
    `Others: ${facts.invocation} token mint --pool ${facts.pool.origin} ${toExampleName(facts)}`,
    '  with --use id, --expires-in 10m, --group NAME and more: --help tells',
    '',
    'TRY IT: paste the lines into another terminal, each as it is',
    '',
    ...examples,
    ...toSignIn(facts),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function toBrowserLines({ signInUrl, users }: GuideFacts): string[] {
  if (signInUrl === undefined) return []
  const user = users.find(({ enabled }) => enabled)
  const as = user === undefined ? '' : ` as ${user.username} with the password ${user.password},`
  return [
    `Open ${signInUrl} in a browser: sign in${as} or sign up,`,
    'or choose a simulated provider, and see who you are.',
    '',
  ]
}

/** Of somebody for whom a token can be had. */
function toExampleName({ users }: GuideFacts): string {
  return toShellWord(users.find(({ enabled }) => enabled)?.username ?? 'NAME')
}

function toAddresses({ gateway, admin, upstream, files, pool }: GuideFacts): string[][] {
  return [
    ['gateway', gateway],
    ...(admin === undefined ? [] : [['health, metrics', `${admin}/readyz  ${admin}/metrics`]]),
    ...(upstream === undefined ? [] : [['demo upstream', upstream]]),
    ['user pool', pool.issuer],
    ['user pool API', pool.origin],
    ['app client', pool.clientId],
    ['web app client', pool.webClientId],
    ['identity pool', pool.identityPool.id],
    ...(files === undefined ? [] : [['S3 stand-in', files]]),
  ]
}

function toUserRows(users: readonly GuideUser[]): string[][] {
  const rows = users.map(({ username, password, groups, enabled }) => [
    username,
    password,
    enabled ? groups.join(', ') || '(none)' : '(disabled)',
  ])
  return [['name', 'password', 'groups'], ...rows]
}

/** Signing in as an application does, with a password. */
function toSignIn({ pool, users }: GuideFacts): string[] {
  const user = users.find(({ enabled }) => enabled)
  if (user === undefined) return []
  const parameters = { USERNAME: user.username, PASSWORD: user.password }
  const body = {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: pool.clientId,
    AuthParameters: parameters,
  }
  return [
    `# signs ${user.username} in with a password, as an application does`,
    `curl -s -H 'X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth' -d ${toShellWord(JSON.stringify(body))} ${pool.origin}/`,
    '',
    '# the same with the AWS command line; SDK clients take the same endpoint',
    `aws cognito-idp initiate-auth --endpoint-url ${pool.origin} --region eu-west-1 --no-sign-request --auth-flow USER_PASSWORD_AUTH --client-id ${pool.clientId} --auth-parameters ${toShellWord(JSON.stringify(parameters))}`,
    '',
  ]
}

function toVariable(username: string): string {
  return `POOLGATE_${username.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_TOKEN`
}

/** Columns of equal width, two spaces apart. */
function toTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  )
}
