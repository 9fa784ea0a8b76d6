// Settings of one route: what it matches, who may use it, where it leads. There is no default for who.
import { z } from 'zod'
import {
  duration,
  durationOrNone,
  expected,
  flag,
  kindOf,
  listOf,
  oneOf,
  parsedText,
  sizeOrNone,
  text,
} from './fields.ts'
import { METHODS } from './methods.ts'
import { NAME, NAME_PATTERN } from './names.ts'
import { cors } from './schema-cors.ts'
import { orForever } from './schema-upstream.ts'
import { headerEdits, rewrite } from './schema-shaping.ts'
import { didYouMean } from './suggest.ts'
import { parseOrigin } from './web-address.ts'

const HOUR_MS = 3_600_000

const HOST_PATTERN = /^((\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])$/
/** Only the form of a pattern; that its path can be matched is found when routes are compiled. */
const PATH_PATTERN = /^\/([^\s*?#]*\/)?(\*|[^\s*?#]*)$/

const match = z
  .strictObject(
    {
      path: text(
        'a path that begins with / and has no query; * stands only at the end, after a /',
        PATH_PATTERN,
      ).describe(
        'An exact path, or a prefix that ends in `/*`. Compared percent-decoded, case matters.',
      ),
      hosts: listOf(
        text('a host name without a port, such as api.example.com or *.example.com', HOST_PATTERN),
        'a list of host names',
        'expected at least one host name; leave hosts out for every host',
      )
        .exactOptional()
        .describe(
          'Host names without port; `*.example.com` stands for one label. Default: every host.',
        ),
      methods: listOf(
        oneOf(METHODS, 'a method in capitals such as GET or POST'),
        'a list of methods',
        'expected at least one method; leave methods out for every method',
      )
        .exactOptional()
        .describe('HTTP methods, in capitals. Default: every method.'),
    },
    { error: expected('a mapping with path') },
  )
  .describe('Which requests the route is for. The most specific route wins.')

const values = listOf(
  text('text'),
  'a list of text',
  'expected at least one value; leave the key out to ask for nothing',
).exactOptional()

const membership = z
  .strictObject({
    anyOf: values.describe('At least one of these is there.'),
    allOf: values.describe('Every one of these is there.'),
    noneOf: values.describe('Not one of these is there.'),
  })
  .meta({
    id: 'membership',
    description: 'What a list claim must and must not hold. Each key that is given must be met.',
    minProperties: 1,
  })

const number = z
  .number()
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'a number of this size loses its last digits; a claim that is text is written in quotes',
  })

const scalar = z.union([z.string(), number, z.boolean()], {
  error: expected('text, a number, true or false'),
})

const claims = z
  .record(
    text('the name of a claim'),
    z.union([scalar, listOf(scalar, 'a list', 'expected at least one allowed value')], {
      error: expected('an allowed value or a list of allowed values'),
    }),
    { error: expected('a mapping of claim to allowed values') },
  )
  .refine((given) => Object.keys(given).length > 0, { error: 'expected at least one claim' })
  .exactOptional()
  .describe(
    'Claim → allowed value, or a list of allowed values. Compared by value and type: `"true"` is not `true`.',
  )

const accessRule = z
  .strictObject({
    userPool: text('the name of a user pool')
      .exactOptional()
      .describe('Which user pool must have issued the token. May be left out where there is one.'),
    tokenUse: oneOf(['access', 'id', 'any'])
      .prefault('access')
      .describe('Which kind of token is accepted.'),
    groups: membership
      .exactOptional()
      .describe("The caller's `cognito:groups`. Default: not checked."),
    scopes: membership.exactOptional().describe("The token's scopes. Default: not checked."),
    providers: membership
      .exactOptional()
      .describe(
        'Where the caller signed in, by `identities` of the ID token: names of providers, `COGNITO` for the user pool itself. Default: not checked.',
      ),
    claims,
    acr: listOf(
      text(
        'an authentication context class such as urn:cognito:loa:4',
        /^[\x21\x23-\x5B\x5D-\x7E]+$/,
      ),
      'a list of authentication context classes',
      'expected at least one; leave acr out to ask for none',
    )
      .exactOptional()
      .describe('How the caller signed in: one of these `acr` values. Default: not checked.'),
    amr: membership
      .exactOptional()
      .describe('Methods by which the caller signed in, by `amr`. Default: not checked.'),
    maxAuthAge: duration(1_000, 30 * 24 * HOUR_MS)
      .exactOptional()
      .describe('How long ago the caller signed in at most, by `auth_time`. Default: not checked.'),
  })
  .transform(({ maxAuthAge, ...rest }) => ({
    ...rest,
    ...(maxAuthAge !== undefined && { maxAuthAgeMs: maxAuthAge }),
  }))
  .meta({ id: 'accessRule', description: 'What a caller must have.' })

const ACCESS_WORDS = ['public', 'authenticated'] as const
const ACCESS_MISSING =
  'is required, there is no default: write public, authenticated, or a mapping of what a caller must have'

const access = z
  .union([z.enum(ACCESS_WORDS), accessRule], {
    error: ({ input }) => {
      if (input === undefined) return ACCESS_MISSING
      const found =
        typeof input === 'string' ? didYouMean(input, ACCESS_WORDS) : `, found ${kindOf(input)}`
      return `expected public, authenticated or a mapping${found}`
    },
  })
  .describe(
    'Who may use the route: `public` (no token is asked for), `authenticated` (any valid access token), or a mapping for more. There is no default.',
  )

const COOKIE = "a cookie name: letters, digits and !#$%&'*+-.^_`|~"
const TOKEN_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const ORIGIN =
  'an http or https origin such as https://app.example.com, without path, query or user name'

const credentials = z
  .strictObject(
    {
      cookie: text(COOKIE, TOKEN_PATTERN)
        .exactOptional()
        .describe('The name of a cookie that holds the token. Used where it is nowhere else.'),
      origins: listOf(
        parsedText(ORIGIN, /^https?:\/\//, parseOrigin).meta({ title: 'origin' }),
        'a list of origins',
        "expected at least one origin; leave origins out for the request's own host alone",
      )
        .exactOptional()
        .describe(
          "Origins whose pages may do something with the cookie, beside those of the request's own host. Default: none.",
        ),
      query: text(
        'the name of a query parameter: letters, digits, ".", "_" and "-"',
        /^[A-Za-z0-9._-]+$/,
      )
        .exactOptional()
        .describe('The name of a query parameter that holds the token. It is never forwarded.'),
      webSocketProtocol: flag()
        .exactOptional()
        .describe(
          'Whether a WebSocket may bring its token as a subprotocol `bearer.<token>`. That one is never forwarded.',
        ),
    },
    { error: expected('a mapping of cookie, query or webSocketProtocol') },
  )
  .meta({ minProperties: 1 })
  .exactOptional()
  .describe('Further places of a token, beside `Authorization`. Default: none.')

const timeouts = z
  .strictObject({
    response: duration(1, HOUR_MS)
      .exactOptional()
      .describe("Until the headers of the response have come. Default: the upstream's."),
    idle: duration(1, 24 * HOUR_MS)
      .exactOptional()
      .describe("Between two bytes of the body of the response. Default: the upstream's."),
    total: durationOrNone(1, 24 * HOUR_MS)
      .exactOptional()
      .describe("From dispatch to the end of the response. Default: the upstream's."),
  })
  .transform(({ response, idle, total }) => ({
    ...(response !== undefined && { responseMs: response }),
    ...(idle !== undefined && { idleMs: idle }),
    ...(total !== undefined && { totalMs: orForever(total) }),
  }))
  .exactOptional()
  .describe("Time-outs of this route in the place of its upstream's. Default: the upstream's.")
const UPGRADES = 'a list of protocols such as websocket'
const upgrades = z
  .array(
    text('the name of a protocol such as websocket; none of HTTP', TOKEN_PATTERN)
      .refine((name) => !/^(?:h2c?|http|tls)$/i.test(name), {
        error: expected('a protocol other than HTTP'),
      })
      .transform((name) => name.toLowerCase()),
    { error: expected(UPGRADES) },
  )
  .prefault([])
  .describe(
    'Protocols that a connection may go on with once a request is allowed: `websocket`, or others by their names. Default: none.',
  )

export const route = z.strictObject({
  name: text(NAME, NAME_PATTERN).describe('A unique name; it stands in logs and metrics.'),
  match,
  access,
  signIn: text('the name of a session')
    .exactOptional()
    .describe(
      'Which of `sessions` browsers sign in with on this route; a bearer token goes before it. Default: nobody signs in here.',
    ),
  upstream: text('the name of an upstream, or none').describe(
    'Which upstream requests go to; `none` on a route for decisions alone, where an ingress asks and forwards.',
  ),
  forwardToken: flag()
    .prefault(true)
    .describe(
      'Whether the bearer token itself is passed on to the upstream, in `Authorization` or the cookie.',
    ),
  upgrades,
  credentials,
  atExpiry: oneOf(['end', 'allow'])
    .prefault('end')
    .describe(
      'What becomes of an open stream (`text/event-stream`, an upgraded connection) when its token expires: it ends, or may go on.',
    ),
  maxBody: sizeOrNone()
    .exactOptional()
    .describe('Largest request body on this route; beyond it 413. Default: `limits.body`.'),
  timeouts,
  rewrite,
  requestHeaders: headerEdits('What the upstream gets of the header fields of a request.'),
  responseHeaders: headerEdits(
    "What the client gets of the header fields of an upstream's answer.",
  ),
  cors,
})
