// Settings of what reaches AWS with the caller's own credentials: identity pools, which give them, and services, which are called with them.
import { z } from 'zod'
import { count, expected, flag, listOf, oneOf, parsedText, size, text } from './fields.ts'
import { HEADER_NAME, HEADER_NAME_PATTERN } from './identity-header-names.ts'
import { NAME, NAME_PATTERN } from './names.ts'
import { REGION, REGION_PATTERN } from './region.ts'
import { isTrustworthyUrl, parseOrigin } from './web-address.ts'

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\x21-\x7E]+$/
const ROLE = new RegExp(`^default$|^preferred$|${ROLE_ARN.source}`)
const POOL_ID = new RegExp(`${REGION_PATTERN.source.slice(0, -1)}:[0-9A-Fa-f-]{36}$`)

const ENDPOINT = 'an https origin (plain http only for a loopback host), without a path'
const endpoint = parsedText(ENDPOINT, /^https?:\/\//, (value) =>
  isTrustworthyUrl(value) ? parseOrigin(value) : undefined,
).meta({ title: 'origin' })

const name = text(NAME, NAME_PATTERN)

export const identityPool = z
  .strictObject(
    {
      identityPoolId: text(
        'the id of an identity pool such as eu-west-1:01234567-89ab-cdef-0123-456789abcdef',
        POOL_ID,
      ).describe('The id of the identity pool; its region stands in it.'),
      accountId: text('an account number of 12 digits, in quotes', /^\d{12}$/)
        .exactOptional()
        .describe('Number of the AWS account. Default: it is not sent, and AWS does not need it.'),
      userPool: name
        .exactOptional()
        .describe(
          'Whose ID tokens the identity pool takes, by name. May be left out where there is one user pool.',
        ),
      loginKey: text(
        'a login key such as cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01, without a scheme',
        /^[^\s:/]+(\/\S+)?$/,
      )
        .exactOptional()
        .describe("What the identity pool calls that user pool. Default: by the user pool's id."),
      flow: oneOf(['enhanced', 'basic'])
        .prefault('enhanced')
        .describe(
          'How credentials are asked for: `enhanced` (GetCredentialsForIdentity), or `basic` (GetOpenIdToken, then STS AssumeRoleWithWebIdentity), which the identity pool has to allow.',
        ),
      role: text('default, preferred or the ARN of a role', ROLE)
        .prefault('default')
        .describe(
          "Which role: the identity pool's own choice, the token's `cognito:preferred_role`, or one ARN, which has to stand in the token's `cognito:roles`.",
        ),
      roleArn: text('the ARN of a role', ROLE_ARN)
        .exactOptional()
        .describe('Whom `flow: basic` assumes where `role` is `default`, which needs it.'),
      guests: flag()
        .prefault(false)
        .describe(
          'Whether callers of public routes, where no token is looked at, get credentials of unauthenticated identities. Never on any other route.',
        ),
      logins: z
        .record(
          text('a provider such as accounts.google.com'),
          text(HEADER_NAME, HEADER_NAME_PATTERN),
          {
            error: expected('a mapping of provider to header'),
          },
        )
        .transform((given) =>
          Object.fromEntries(
            Object.entries(given).map(([provider, header]) => [provider, header.toLowerCase()]),
          ),
        )
        .prefault({})
        .describe(
          "Other providers of the identity pool → the header in which callers of public routes send that provider's token. The identity pool verifies it.",
        ),
      rate: count(1, 10_000)
        .prefault(20)
        .describe(
          "Exchanges of users a second at most, of this replica; guests and `logins` have a fifth of it beside. Cognito's quota is 25 GetId calls a second.",
        ),
      endpoint: endpoint
        .exactOptional()
        .describe("Where the identity pool's API is. Default: the region's own."),
      stsEndpoint: endpoint
        .exactOptional()
        .describe("Where `flow: basic` finds STS. Default: the region's own."),
    },
    { error: expected('a mapping with identityPoolId') },
  )
  .refine(({ flow, role, roleArn }) => flow === 'enhanced' || role !== 'default' || roleArn, {
    error: 'needs roleArn: flow: basic leaves no choice to the identity pool',
  })

export const aws = z
  .strictObject(
    {
      service: text(
        'the signing name of a service such as s3, dynamodb, lambda, execute-api or sts',
        /^[a-z0-9-]+$/,
      ).describe(
        'The name that signatures have for the service: `s3`, `dynamodb`, `lambda`, `execute-api`, `sts` …',
      ),
      region: text(REGION, REGION_PATTERN)
        .exactOptional()
        .describe("The service's region. Default: the identity pool's; otherwise it is required."),
      identityPool: name
        .exactOptional()
        .describe('Which of `identityPools` gives the credentials of callers.'),
      credentials: z
        .literal('gateway', { error: expected('gateway, or nothing beside identityPool') })
        .exactOptional()
        .describe(
          "`gateway`: sign with the gateway's own role (IRSA, Pod Identity, ECS, EC2, environment), whoever calls. Instead of `identityPool`.",
        ),
      bucket: text(
        'the name of a bucket, without s3:// or arn: before it',
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      )
        .exactOptional()
        .describe('S3 alone: the bucket that paths are in. Default: it is the first segment.'),
      pathStyle: flag()
        .prefault(false)
        .describe('S3 alone: whether the bucket stands in the path instead of the host.'),
      otherKeys: flag()
        .prefault(false)
        .describe(
          'S3 alone: whether requests may name keys beside their path (`x-amz-copy-source`, `POST ?delete`), which no route has matched.',
        ),
      hideInternals: flag()
        .prefault(false)
        .describe(
          'S3 alone: whether answers lose what tells of the bucket: `x-amz-id-2`, `x-amz-request-id`, `x-amz-bucket-region`, `server` …',
        ),
      function: text(
        'the name or ARN of a function',
        /^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?$/,
      )
        .exactOptional()
        .describe(
          'Lambda alone: a function that is invoked with each request, in payload format 2.0. Default: `endpoint` is a function URL.',
        ),
      streaming: flag()
        .prefault(false)
        .describe(
          'With `function`: whether its answer is taken as it comes (InvokeWithResponseStream).',
        ),
      actions: listOf(
        text(
          'a value of X-Amz-Target such as DynamoDB_20120810.GetItem, with what stands before the dot',
          /^[!-~]+\.[!-~]+$/,
        ),
        'a list of values of X-Amz-Target',
        'expected at least one action; leave actions out for every action',
      )
        .exactOptional()
        .describe('Values of `X-Amz-Target` that are let through. Default: all.'),
      maxBody: size(0, 32 * 1024 ** 2)
        .prefault('6MiB')
        .describe(
          'Most bytes of a request body that is kept to be signed; beyond it 413. S3 bodies are not kept.',
        ),
      endpoint: endpoint
        .exactOptional()
        .describe("Another place than the service's own; function URLs and `execute-api` need it."),
    },
    { error: expected('a mapping with service') },
  )
  .exactOptional()
  .describe(
    "A service of AWS that is called with the caller's own credentials, or the gateway's. Instead of `targets`.",
  )

export const handOut = z
  .strictObject(
    {
      identityPool: name.describe('Which of `identityPools` gives the credentials.'),
      clientIds: listOf(
        text('an app client id'),
        'a list of app client ids',
        'expected at least one app client id',
      ).describe('App clients whose ID tokens are exchanged; another one is 403.'),
    },
    { error: expected('a mapping with identityPool and clientIds') },
  )
  .exactOptional()
  .describe(
    'Answers GET with the temporary credentials of the caller, as JSON that AWS SDKs take from `AWS_CONTAINER_CREDENTIALS_FULL_URI`. Instead of `targets`.',
  )
