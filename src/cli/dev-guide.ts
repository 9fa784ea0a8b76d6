// What `poolgate dev` prints once it runs: where everything is, who may sign in, and lines to paste into a POSIX shell.

export interface GuideUser {
  readonly username: string
  readonly password: string
  readonly enabled: boolean
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  readonly attributes: Readonly<Record<string, string | boolean>>
}

export interface GuideFacts {
  readonly gateway: string
  readonly admin: string | undefined
  /** Undefined where a configuration file names its own upstreams; the lines then ask for `/` only. */
  readonly upstream: string | undefined
  readonly pool: { readonly origin: string; readonly issuer: string; readonly clientId: string }
  readonly mintUrl: string
  readonly users: readonly GuideUser[]
  /** Access tokens by username. */
  readonly tokens: ReadonlyMap<string, string>
}

/** A line to paste and what it shows. */
export interface Example {
  readonly status: number
  readonly about: string
  readonly command: string
}

const TENANT = 'custom:tenant'

export function toGuide(facts: GuideFacts): string {
  const examples = toExamples(facts).flatMap(({ status, about, command }) => [
    `# ${status}: ${about}`,
    command,
    '',
  ])
  return [
    'Poolgate runs on loopback, with a user pool of its own. Ctrl-C stops it.',
    '',
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
    `Others: poolgate token mint --pool ${facts.pool.origin} NAME [--use id] [--expires-in 10m]`,
    '',
    'TRY IT: paste the lines into another terminal, each as it is',
    '',
    ...examples,
    ...toSignIn(facts),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

/** What every kind of route answers, with the users that there are. */
export function toExamples(facts: GuideFacts): readonly Example[] {
  const { gateway, upstream } = facts
  const users = facts.users.filter(({ enabled }) => enabled)
  const isAdmin = ({ groups }: GuideUser) => groups.includes('admins')
  const admin = users.find(isAdmin)
  const reader = users.find((user) => !isAdmin(user)) ?? admin
  if (upstream === undefined) {
    return reader
      ? [example(facts, 200, `${reader.username} is let in`, `${gateway}/`, reader)]
      : []
  }
  const orders = `${gateway}/orders`
  return [
    example(facts, 200, 'a public route asks for no token', `${gateway}/public/hello`),
    example(facts, 401, 'nobody is calling (credential_missing)', orders),
    ...(reader ? toReaderExamples(facts, reader, orders) : []),
    ...(reader && reader !== admin
      ? [example(facts, 403, toGroupText(reader), `${gateway}/admin/`, reader)]
      : []),
    ...(admin
      ? [example(facts, 200, `${admin.username} is in admins`, `${gateway}/admin/`, admin)]
      : []),
    ...users
      .filter(({ scopes }) => !scopes.includes('orders/write'))
      .slice(0, 1)
      .map((user) =>
        example(facts, 403, 'no scope orders/write (scope_missing)', orders, user, { post: true }),
      ),
    ...users
      .filter(({ attributes }) => attributes[TENANT] === 'acme')
      .slice(0, 1)
      .map((user) =>
        example(facts, 200, 'an ID token, by a claim', `${gateway}/tenants/acme/plan`, user, {
          id: true,
        }),
      ),
  ]
}

function toReaderExamples(facts: GuideFacts, reader: GuideUser, orders: string): Example[] {
  const good = example(facts, 200, `${reader.username}, with the claims as headers`, orders, reader)
  const tampered = example(
    facts,
    401,
    'a token that was changed (token_signature)',
    orders,
    reader,
    {
      tampered: true,
    },
  )
  return [good, tampered]
}

function toGroupText({ username }: GuideUser): string {
  return `${username} is not in admins (group_missing)`
}

interface ExampleKind {
  readonly id?: boolean
  readonly post?: boolean
  readonly tampered?: boolean
}

function example(
  { mintUrl }: GuideFacts,
  status: number,
  about: string,
  url: string,
  user?: GuideUser,
  { id = false, post = false, tampered = false }: ExampleKind = {},
): Example {
  const parts = ['curl', '-i', ...(post ? ['-d', 'item=tea'] : [])]
  if (user !== undefined) {
    const form = new URLSearchParams({ user: user.username, ...(id && { use: 'id' }) })
    const token = `$(curl -s -d ${toShellWord(form.toString())} ${mintUrl})`
    parts.push('-H', `"Authorization: Bearer ${token}${tampered ? 'AAAA' : ''}"`)
  }
  return { status, about, command: [...parts, url].join(' ') }
}

function toAddresses({ gateway, admin, upstream, pool }: GuideFacts): string[][] {
  return [
    ['gateway', gateway],
    ...(admin === undefined ? [] : [['health, metrics', `${admin}/readyz  ${admin}/metrics`]]),
    ...(upstream === undefined
      ? []
      : [
          ['demo upstream', upstream],
          ['for a browser', `${gateway}/public/hello`],
        ]),
    ['user pool', pool.issuer],
    ['user pool API', pool.origin],
    ['app client', pool.clientId],
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

/** One word of a POSIX shell, whatever it holds. */
function toShellWord(text: string): string {
  return /^[A-Za-z0-9_=&%+.:/-]+$/.test(text) && !text.includes('&')
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`
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
