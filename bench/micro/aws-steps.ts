// What calling AWS adds to a request: finding the caller's credentials, and signing. The gateway's own functions, before an upstream that
// answers at once; aws4 beside it for the signature alone.
import { Readable } from 'node:stream'
import aws4 from 'aws4'
import type { AwsCredentials } from '../../src/aws/aws-credentials.ts'
import { isNoCredentials } from '../../src/aws/aws-credentials.ts'
import { createIdentityPool, type IdentityPool } from '../../src/aws/identity-pool.ts'
import { createSigner } from '../../src/aws/sigv4.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Allow, Route } from '../../src/policy/decision.ts'
import { createLogIn } from '../../src/policy/login.ts'
import type { Principal } from '../../src/policy/principal.ts'
import type { AwsUpstreamSettings } from '../../src/upstream/aws-call-parts.ts'
import { createAwsUpstream } from '../../src/upstream/aws-upstream.ts'
import { createMemoryBudget } from '../../src/upstream/memory-budget.ts'
import type { UpstreamRequest } from '../../src/upstream/dispatch.ts'
import type { Upstream } from '../../src/upstream/upstream.ts'
import { type Operation, toOperation } from './operation.ts'

export interface AwsSizes {
  /** Look-ups in a block. */
  readonly steps: number
  /** Signatures in a block. */
  readonly signatures: number
  /** Users whose credentials are kept. */
  readonly users: number
}

export const AWS_NAMES = {
  lookUp: 'AWS credentials of a known user',
  plain: 'an upstream that answers at once, GET',
  signed: 'the same, signed for S3',
  plainPost: 'an upstream that reads 1 KiB, POST',
  posted: 'the same, signed for DynamoDB',
  manyUsers: 'the same, more users than signing keys are kept of',
} as const

const HOT_USERS = 100
/** Of whom the library keeps signing keys, of 50 at once; every other request takes four HMACs more. */
const USERS_IN_TURN = 40
const PROVIDER = 'cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01'
const ROUTE: Route = {
  name: 'files',
  index: 0,
  upstream: 'files',
  forwardToken: true,
  maxBody: Number.POSITIVE_INFINITY,
  loginKey: PROVIDER,
}
const NOW_MS = Date.UTC(2026, 10, 26)
const CLOCK: Clock = {
  now: () => NOW_MS,
  monotonic: () => 0,
  after: () => ({ cancel: () => undefined }),
}
const HEADERS = [
  ['host', 'api.example.com'],
  ['user-agent', 'curl/8.0'],
  ['accept', '*/*'],
  ['authorization', 'Bearer ey'],
  ['content-type', 'application/x-amz-json-1.0'],
  ['x-auth-subject', 'user'],
  ['x-forwarded-for', '203.0.113.7'],
  ['x-request-id', 'an-id'],
].flat()
const BODY = Buffer.alloc(1_024, 'a')

export async function createAwsSteps(sizes: AwsSizes): Promise<Operation[]> {
  const pool = await createFullPool(sizes.users)
  const logIn = createLogIn(() => {
    throw new Error('nobody’s token has to be verified')
  })
  const find = (user: Caller) => findFor(user, logIn, pool)
  const callers = Array.from({ length: HOT_USERS }, (_, i) => toCaller(i))
  const few = callers.slice(0, USERS_IN_TURN)
  const isRight = (user: Caller) => find(user).accessKeyId === `ASIA${user.principal.subject}`
  return [
    toOperation(
      AWS_NAMES.lookUp,
      sizes.steps,
      callers,
      (user) => find(user).accessKeyId.length,
      () => (callers.every(isRight) ? [] : ['another user’s credentials']),
    ),
    toDispatch(AWS_NAMES.plain, sizes.signatures, few, createInner(), false),
    toDispatch(AWS_NAMES.signed, sizes.signatures, few, toAws('s3', find), false),
    toDispatch(AWS_NAMES.plainPost, sizes.signatures, few, createInner(), true),
    toDispatch(AWS_NAMES.posted, sizes.signatures, few, toAws('dynamodb', find), true),
    toDispatch(AWS_NAMES.manyUsers, sizes.signatures, callers, toAws('dynamodb', find), true),
    toSignature('@smithy/signature-v4 alone, GET', sizes.signatures, few.map(find)),
    toAws4Signature('aws4 alone, GET', sizes.signatures, few.map(find)),
  ]
}

interface Caller {
  readonly principal: Principal
  readonly token: string
}

function toCaller(i: number): Caller {
  const claims = {
    iss: 'https://issuer',
    sub: `user-${i}`,
    aud: 'client',
    token_use: 'id',
    'cognito:groups': ['staff', 'readers'],
  }
  const principal: Principal = {
    userPool: 'main',
    tokenUse: 'id',
    claims,
    validFromMs: 0,
    validUntilMs: NOW_MS + 3_600_000,
    subject: claims.sub,
    clientId: claims.aud,
    groups: claims['cognito:groups'],
    scopes: [],
    identityHeaders: [],
  }
  return { principal, token: `token-of-${i}` }
}

/** Exchanges nothing: each user is given credentials at once. */
async function createFullPool(users: number): Promise<IdentityPool> {
  const settings = {
    identityPoolId: 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef',
    endpoint: 'http://127.0.0.1:9',
    stsEndpoint: 'http://127.0.0.1:9',
    flow: 'enhanced',
    role: 'default',
    guests: false,
    rate: 1_000_000,
  } as const
  const calls = {
    getId: async (logins: object) => String(Object.values(logins)[0]).replace('token-of', 'user'),
    getCredentials: async (user: string) => toCredentials(user),
    getOpenIdToken: async () => '',
    assumeRole: async (role: string) => toCredentials(role),
  }
  const ports = { clock: CLOCK, random: Math.random, changed: () => undefined }
  const pool = createIdentityPool(settings, ports, calls)
  const logIn = createLogIn(() => {
    throw new Error('nobody’s token has to be verified')
  })
  for (let i = 0; i < users; i++) await pool.find(loginOf(toCaller(i), logIn))
  return pool
}

function toCredentials(user: string): AwsCredentials {
  return {
    accessKeyId: `ASIA${user}`,
    secretAccessKey: `secret of ${user}`,
    sessionToken: user.padEnd(900, 'x'),
    expiresAtMs: NOW_MS + 3_600_000,
  }
}

function loginOf({ principal, token }: Caller, logIn: ReturnType<typeof createLogIn>) {
  const allow: Allow = { kind: 'allow', route: ROUTE, principal }
  const decision = logIn(allow, token, () => ({ idToken: undefined }))
  return 'login' in decision ? decision.login : undefined
}

function findFor(
  user: Caller,
  logIn: ReturnType<typeof createLogIn>,
  pool: IdentityPool,
): AwsCredentials {
  const found = pool.find(loginOf(user, logIn))
  if (found instanceof Promise || isNoCredentials(found)) throw new Error('not known')
  return found
}

/** Answers as soon as it has read the body. */
function createInner(seen?: (request: UpstreamRequest) => void): Upstream {
  return {
    name: 'files',
    targets: () => [],
    ready: () => true,
    report: () => {
      throw new Error('nobody asks')
    },
    dispatch(_allow, request, sink) {
      seen?.(request)
      const answer = () => {
        sink.head(200, [])
        sink.ended([])
      }
      if (request.body === null) answer()
      else request.body.on('end', answer).resume()
      return { abort: () => undefined, resume: () => undefined }
    },
    close: async () => undefined,
    destroy: async () => undefined,
  }
}

function toAws(service: 's3' | 'dynamodb', find: (user: Caller) => AwsCredentials): Upstream {
  const settings: AwsUpstreamSettings = {
    service,
    region: 'eu-west-1',
    host: `${service}.eu-west-1.amazonaws.com`,
    prefix: service === 's3' ? '/files' : '',
    maxBody: 6 * 1024 * 1024,
    hideInternals: false,
    hidden: ['x-auth-subject'],
    isS3: service === 's3',
    isApplication: false,
    otherKeys: false,
    actions: undefined,
  }
  const inner = createInner(({ headers }) => {
    if (!headers.includes('x-amz-security-token')) throw new Error('not signed')
  })
  return createAwsUpstream(settings, inner, {
    clock: CLOCK,
    memory: createMemoryBudget(256 * 1024 * 1024),
    credentialsOf: ({ principal }) =>
      find({ principal: principal as Principal, token: 'a known one' }),
  })
}

function toDispatch(
  name: string,
  count: number,
  callers: readonly Caller[],
  upstream: Upstream,
  hasBody: boolean,
): Operation {
  const ask = (user: Caller): Promise<number> =>
    new Promise((resolve, reject) => {
      const allow: Allow = { kind: 'allow', route: ROUTE, principal: user.principal }
      const request = {
        method: hasBody ? 'POST' : 'GET',
        target: '/users/42/picture%20one.jpg?versionId=3',
        headers: HEADERS,
        body: hasBody ? Readable.from([BODY]) : null,
      }
      upstream.dispatch(allow, request, {
        informed: () => undefined,
        head: () => undefined,
        data: () => true,
        ended: () => resolve(1),
        failed: ({ detail }) => reject(new Error(detail)),
      })
    })
  const run = async () => {
    let sum = 0
    for (let done = 0; done < count; done++)
      sum += await ask(callers[done % callers.length] as Caller)
    return sum
  }
  return {
    name,
    count,
    prepare: () => run,
    check: async () => ((await ask(callers[0] as Caller)) === 1 ? [] : ['no answer']),
  }
}

const PATH = '/files/users/42/picture%20one.jpg'
const PARAMETERS = [['versionId', '3']] as const

function toSignature(name: string, count: number, keys: readonly AwsCredentials[]): Operation {
  const sign = createSigner({ service: 'dynamodb', region: 'eu-west-1' })
  const headers = { host: 'dynamodb.eu-west-1.amazonaws.com' }
  const once = async (credentials: AwsCredentials) => {
    const request = { method: 'GET', path: PATH, parameters: PARAMETERS, headers }
    return (await sign(request, credentials, NOW_MS)).authorization ?? ''
  }
  const run = async () => {
    let sum = 0
    for (let done = 0; done < count; done++)
      sum += (await once(keys[done % keys.length] as AwsCredentials)).length
    return sum
  }
  const check = async () => {
    const [first] = keys as [AwsCredentials]
    return (await once(first)) === aws4Of(first) ? [] : ['aws4 signs otherwise']
  }
  return { name, count, prepare: () => run, check }
}

function toAws4Signature(name: string, count: number, keys: readonly AwsCredentials[]): Operation {
  return toOperation(
    name,
    count,
    keys,
    (key) => aws4Of(key).length,
    () => [],
  )
}

function aws4Of({ sessionToken, ...credentials }: AwsCredentials): string {
  const date = new Date(NOW_MS).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const request = {
    service: 'dynamodb',
    region: 'eu-west-1',
    host: 'dynamodb.eu-west-1.amazonaws.com',
    path: `${PATH}?versionId=3`,
    headers: { 'X-Amz-Date': date },
  }
  const token = sessionToken === undefined ? {} : { sessionToken }
  const { headers } = aws4.sign(request, { ...credentials, ...token })
  return String(headers?.Authorization)
}
