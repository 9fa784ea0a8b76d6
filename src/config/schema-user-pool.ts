// Settings of one user pool. Absence never switches a check off: clientIds has to be given, if only as `any`.
import { z } from 'zod'
import { duration, expected, listOf, parsedText, text } from './fields.ts'
import { toJwksUri, userPoolDefaults } from './user-pool-defaults.ts'
import { isTrustworthyUrl } from './web-address.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const url = parsedText(
  'an https URL without a query (plain http only for a loopback host)',
  /^https?:\/\//,
  (value) => (isTrustworthyUrl(value) ? value : undefined),
).meta({ title: 'URL' })

/** A string, or a list of strings; always a list afterwards. */
function oneOrMore<S extends z.ZodType<string>>(member: S, what: string) {
  return z
    .union([member, listOf(member, what, `expected ${what}; this list is empty`)], {
      error: expected(what),
    })
    .transform((value): string[] => (typeof value === 'string' ? [value] : value))
}

const clientIds = z
  .union(
    [
      z.literal('any'),
      listOf(
        text('an app client id (text)'),
        'a list of app client ids',
        'expected at least one app client id; an empty list would refuse every token',
      ),
    ],
    {
      error: expected(
        'a list of app client ids, or the word any',
        'is required: list the app clients whose tokens are accepted, or write `any` to accept every app client of the pool',
      ),
    },
  )
  .describe(
    'App clients whose tokens are accepted (`client_id` of access tokens, `aud` of ID tokens). The word `any` switches the check off.',
  )

export const userPool = z
  .strictObject({
    userPoolId: text('a user pool id (text) such as eu-west-1_EXAMPLE01').describe(
      'Id of the Cognito user pool, `REGION_ID`.',
    ),
    clientIds,
    issuer: oneOrMore(url, 'an issuer URL or a list of them')
      .exactOptional()
      .describe('Accepted `iss` values. Default: both forms that AWS issues for this pool.'),
    jwksUri: url
      .exactOptional()
      .describe(
        'Where the signing keys are fetched. Default: the first issuer, then `/.well-known/jwks.json`.',
      ),
    jwksFile: text('the path of a file')
      .exactOptional()
      .describe(
        'Path of a JSON Web Key Set that is used until the first fetch succeeds. Default: none.',
      ),
    jwksRefresh: duration(1_000, DAY_MS)
      .prefault('5m')
      .describe('How often the signing keys are fetched again.'),
    jwksMaxStale: duration(MINUTE_MS, 30 * DAY_MS)
      .prefault('24h')
      .describe('How long keys stay in use after the last successful fetch; then 503.'),
    clockTolerance: duration(0, MINUTE_MS)
      .prefault('0s')
      .describe(
        "Leeway for `exp`, `nbf` and `iat` where this machine's clock is not exact; at most 60s.",
      ),
    resource: oneOrMore(
      text('a resource identifier (text)'),
      'a resource identifier or a list of them',
    )
      .exactOptional()
      .describe(
        'Accepted `aud` values of access tokens (RFC 8707 resource binding). Default: not checked.',
      ),
  })
  .transform(toUserPool)

interface Given {
  userPoolId: string
  clientIds: string[] | 'any'
  issuer?: string[]
  jwksUri?: string
  jwksFile?: string
  jwksRefresh: number
  jwksMaxStale: number
  clockTolerance: number
  resource?: string[]
}

export interface UserPool {
  readonly userPoolId: string
  readonly clientIds: string[] | 'any'
  readonly issuer: string[]
  readonly jwksUri: string
  readonly jwksFile?: string
  readonly jwksRefreshMs: number
  readonly jwksMaxStaleMs: number
  readonly clockToleranceMs: number
  readonly resource?: string[]
}

function toUserPool(given: Given, context: z.RefinementCtx): UserPool {
  const { jwksRefresh, jwksMaxStale, clockTolerance, ...rest } = given
  const defaults = userPoolDefaults(given.userPoolId)
  const issuer = given.issuer ?? (defaults ? [...defaults.issuer] : undefined)
  const jwksUri = given.jwksUri ?? (issuer ? toJwksUri(issuer[0]!) : undefined)
  const guessed = given.issuer === undefined || given.jwksUri === undefined
  if (issuer === undefined || jwksUri === undefined || (guessed && defaults === undefined)) {
    const message =
      'expected REGION_ID, such as eu-west-1_EXAMPLE01; for another form give issuer and jwksUri too'
    context.issues.push({ code: 'custom', message, path: ['userPoolId'], input: given.userPoolId })
    return z.NEVER
  }
  return {
    ...rest,
    issuer,
    jwksUri,
    jwksRefreshMs: jwksRefresh,
    jwksMaxStaleMs: jwksMaxStale,
    clockToleranceMs: clockTolerance,
  }
}
