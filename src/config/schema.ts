// The configuration's one source of types, defaults, documentation and JSON Schema. What it does not name is refused.
import { z } from 'zod'
import { count, duration, expected, flag, listOf, oneOf, size, text } from './fields.ts'
import { CLAIM, HEADER_NAME, HEADER_NAME_PATTERN } from './identity-header-names.ts'
import { NAME, NAME_PATTERN } from './names.ts'
import { identityPool } from './schema-aws.ts'
import { admin, extAuthz, limits, listen, timeouts, trustedProxies } from './schema-listener.ts'
import { route } from './schema-route.ts'
import { session } from './schema-session.ts'
import { upstream } from './schema-upstream.ts'
import { userPool } from './schema-user-pool.ts'

export type { Listen } from './schema-listener.ts'

const name = text(NAME, NAME_PATTERN)

const tokenCache = z
  .strictObject({
    entries: count(1, 10_000_000)
      .prefault(10_000)
      .describe(
        'Most verified tokens kept; while there are so many, another one has to come twice to enter.',
      ),
    // Less would hold no token at all, or a few, and each request would be verified anew.
    bytes: size(1024 ** 2, 64 * 1024 ** 3)
      .prefault('64MiB')
      .describe('Memory for verified tokens, at least 1MiB; one takes about 3KiB.'),
    ttl: duration(1_000, 3_600_000)
      .prefault('5m')
      .describe('How long a token is believed without verifying it again; never beyond its `exp`.'),
  })
  .transform(({ ttl, ...rest }) => ({ ...rest, ttlMs: ttl }))
  .prefault({})
  .describe('Tokens that were verified before.')

const log = z
  .strictObject({
    level: oneOf(['info', 'warn', 'error'])
      .prefault('info')
      .describe('The least level that is logged.'),
    access: oneOf(['all', 'errors', 'none'])
      .prefault('all')
      .describe('Which requests get an access line; `errors` means answers of 400 and above.'),
  })
  .prefault({})
  .describe('What is logged.')

const identityHeaders = z
  .record(text(HEADER_NAME, HEADER_NAME_PATTERN), text(CLAIM), {
    error: expected('a mapping of header to claim'),
  })
  .transform((given) =>
    Object.fromEntries(
      Object.entries(given).map(([header, claim]) => [header.toLowerCase(), claim]),
    ),
  )
  .prefault({
    'x-auth-subject': 'sub',
    'x-auth-username': 'username',
    'x-auth-groups': 'cognito:groups',
    'x-auth-scopes': 'scope',
    'x-auth-client-id': 'client_id',
    'x-auth-email': 'email',
    'x-auth-token-use': 'token_use',
  })
  .describe(
    'Header → claim of the token that it carries to the upstream. A given mapping replaces the defaults. `username` and `client_id` are also found in ID tokens, as `cognito:username` and `aud`.',
  )

/** The whole file, as YAML reads it. Rules between settings are in check-settings. */
export const configSchema = z
  .strictObject({
    version: z
      .literal(1, { error: expected('1', 'is required: write version: 1') })
      .describe("The format's version."),
    listen,
    admin,
    extAuthz,
    pathPrefix: text(
      'a path such as /_poolgate: plain segments and no slash at the end',
      /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/,
    )
      .prefault('/_poolgate')
      .describe("Everything below it is the gateway's own and never forwarded."),
    trustedProxies,
    forwardedHeader: flag()
      .prefault(false)
      .describe(
        'Whether upstreams get `Forwarded` (RFC 7239) beside `X-Forwarded-*`, with what trusted proxies said there first.',
      ),
    loopGuard: flag()
      .prefault(false)
      .describe(
        'Whether requests go on with `Via`, so that one that comes back for the second time is refused: 508 `loop_detected`.',
      ),
    userPools: z
      .record(name, userPool, { error: expected('a mapping of name to user pool') })
      .prefault({})
      .describe('Cognito user pools whose tokens are accepted, by a name of your choice.'),
    sessions: z
      .record(name, session, { error: expected('a mapping of name to session') })
      .prefault({})
      .describe(
        'Ways in which browsers sign in, by a name of your choice; routes name theirs in `signIn`.',
      ),
    identityPools: z
      .record(name, identityPool, { error: expected('a mapping of name to identity pool') })
      .prefault({})
      .describe(
        'Cognito identity pools that give callers credentials for AWS, by a name of your choice.',
      ),
    tokenCache,
    upstreams: z
      .record(name, upstream, { error: expected('a mapping of name to upstream') })
      .prefault({})
      .describe('Services behind the gateway, by a name of your choice.'),
    limits,
    timeouts,
    identityHeaders,
    log,
    routes: listOf(
      route,
      'a list of routes',
      'expected at least one route; without one every request is answered 404',
    ).describe('What is let through, to whom and where. No match: 404.'),
  })
  .meta({ title: 'Poolgate configuration' })

/** A valid configuration: defaults filled in, durations in milliseconds, sizes in bytes. */
export type Config = z.output<typeof configSchema>
