// Settings of one way in which browsers sign in: an app client of a user pool, its managed login, and the session that follows.
import { z } from 'zod'
import { duration, durationOrNone, expected, listOf, parsedText, text } from './fields.ts'
import { isLoopbackHost, isRedisUrl, isTrustworthyUrl, parseOrigin } from './web-address.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const ORIGIN =
  'an https origin such as https://app.example.com (plain http only for a loopback host)'

const origin = parsedText(ORIGIN, /^https?:\/\//, (value) => {
  const parsed = parseOrigin(value)
  if (parsed === undefined) return undefined
  return parsed.startsWith('https:') || isLoopbackHost(new URL(parsed).hostname)
    ? parsed
    : undefined
}).meta({ title: 'origin' })

const domain = parsedText(
  'the https URL of the managed login, such as https://example.auth.eu-west-1.amazoncognito.com (plain http only for a loopback host)',
  /^https?:\/\//,
  (value) => (isTrustworthyUrl(value) ? value.replace(/\/+$/, '') : undefined),
).meta({ title: 'URL' })

const REDIS =
  'a redis:// or rediss:// URL with a host (what a password has of / ? # @ and % is percent-encoded)'
const redisUrl = parsedText(REDIS, /^rediss?:\/\/[^\s]+$/, (value) =>
  isRedisUrl(value) ? value : undefined,
).meta({ title: 'URL' })

const store = z
  .strictObject(
    {
      url: redisUrl
        .exactOptional()
        .describe(
          'One Valkey or Redis server, `rediss://` with TLS; user name and password may stand in it.',
        ),
      cluster: listOf(redisUrl, 'a list of redis:// URLs', 'expected at least one node')
        .exactOptional()
        .describe(
          'Nodes of a cluster to begin with; the others are found. User name and password of the first one are those of all.',
        ),
      prefix: text('text that keys begin with')
        .prefault('poolgate:')
        .describe('What the keys of this session begin with.'),
    },
    { error: expected('a mapping with url or cluster') },
  )
  .refine(({ url, cluster }) => (url === undefined) !== (cluster === undefined), {
    error: 'expected either url or cluster',
  })
  .refine(({ cluster = [] }) => new Set(cluster.map((node) => new URL(node).protocol)).size < 2, {
    error: 'expected all nodes of the cluster with rediss://, or none',
  })
  .exactOptional()
  .describe(
    'Where sessions are kept: a Valkey or Redis that all replicas share. Default: in the cookie itself, encrypted.',
  )

export const session = z
  .strictObject({
    userPool: text('the name of a user pool')
      .exactOptional()
      .describe('Whose users sign in. May be left out where there is one.'),
    domain: domain.describe(
      "The user pool's domain, where its managed login answers; without a path.",
    ),
    clientId: text('an app client id (text)').describe(
      'The app client that browsers sign in with; one of the `clientIds` of its user pool.',
    ),
    clientSecret: text('the secret of the app client (text)')
      .exactOptional()
      .describe("The app client's secret, where it has one. Default: none; PKCE is always used."),
    origins: listOf(
      origin,
      'a list of origins',
      'expected at least one origin',
      'is required: list the origins that browsers see, such as https://app.example.com',
    ).describe(
      'Origins that browsers see. `ORIGIN/_poolgate/callback` has to be an allowed callback URL of the app client, `ORIGIN` and `signedOut` an allowed sign-out URL.',
    ),
    keys: listOf(
      text(
        'a secret of at least 32 characters, such as `openssl rand -base64 32` makes',
        /^.{32,}$/s,
      ),
      'a list of secrets',
      'expected at least one secret',
      'is required: a list of secrets, as `openssl rand -base64 32` makes them; replicas share it',
    ).describe(
      'Secrets that seal the cookies. The first one seals, all of them open: put a new one first, and remove the old one when `lifetime` is over.',
    ),
    scopes: listOf(
      text('a scope (text without spaces)', /^[!#-[\]-~]+$/),
      'a list of scopes',
      'expected at least the scope openid',
    )
      .prefault(['openid', 'email', 'profile'])
      .describe('Scopes that are asked for; `openid` among them.'),
    cookie: text(
      "a cookie name that begins with __Host-: letters, digits and !#$%&'*+-.^_`|~",
      /^__Host-[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    )
      .exactOptional()
      .describe(
        'Name of the session cookie. Default: `__Host-poolgate-` and the name of the session.',
      ),
    lifetime: duration(MINUTE_MS, 30 * DAY_MS)
      .prefault('12h')
      .describe('How long a session lasts at most; then the user signs in again.'),
    idle: durationOrNone(MINUTE_MS, 30 * DAY_MS)
      .prefault('1h')
      .describe('How long a session lasts without a request.'),
    refreshBefore: duration(0, 4 * MINUTE_MS)
      .prefault('1m')
      .describe(
        'How long before they expire tokens are refreshed; at most 4m, as tokens of Cognito may live 5 minutes alone.',
      ),
    signedOut: text('a path that begins with /', /^\/[^\s\\?#]*$/)
      .exactOptional()
      .describe(
        'Where browsers are taken after they have signed out; a public path, or they would sign in at once. Default: a page of Poolgate, `/_poolgate/signed-out`.',
      ),
    store,
    identityProvider: text('the name of an identity provider')
      .exactOptional()
      .describe(
        "`identity_provider`: skips the managed login's own page. Default: it lets users choose.",
      ),
    idpIdentifier: text('an identifier of an identity provider')
      .exactOptional()
      .describe(
        '`idp_identifier`, such as a mail domain, in the place of `identityProvider`. Default: none.',
      ),
    lang: text('a language such as en or pt-BR', /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
      .exactOptional()
      .describe('Language of the managed login. Default: its own.'),
    resource: text('a URL', /^https?:\/\/\S+$/)
      .exactOptional()
      .describe('`resource` (RFC 8707): the `aud` of access tokens. Default: none.'),
    acrValues: listOf(
      text('an authentication context class (text)', /^\S+$/),
      'a list of text',
      'expected at least one',
    )
      .exactOptional()
      .describe(
        '`acr_values` of every sign-in; one that comes back with none of them is refused (403). A route that has to rely on it asks for `acr`. Default: none.',
      ),
    maxAge: duration(1_000, 30 * DAY_MS)
      .exactOptional()
      .describe(
        "`max_age` of every sign-in: the managed login's own session counts no longer, and a sign-in that comes back with an older one is refused (403). Default: none.",
      ),
  })
  .transform(({ lifetime, idle, refreshBefore, maxAge, ...rest }) => ({
    ...rest,
    lifetimeMs: lifetime,
    idleMs: idle === 'none' ? Number.POSITIVE_INFINITY : idle,
    refreshBeforeMs: refreshBefore,
    ...(maxAge !== undefined && { maxAgeMs: maxAge }),
  }))

export type SessionSettings = z.output<typeof session>
