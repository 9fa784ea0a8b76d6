// A stand-in for Cognito's identity pool API that counts its calls and can be well, throttled, broken, slow to answer for ever, or
// unwilling. It gives credentials only for the identity that the login belongs to, so that a mix-up shows.
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { IdentityCredentials } from './assume-role.ts'

export type IdentityOperation = 'GetId' | 'GetCredentialsForIdentity' | 'GetOpenIdToken'

/** `throttle`: 400 TooManyRequestsException; `fail`: 500; `deny`: 400 NotAuthorizedException; `gone`: 400 ResourceNotFoundException; `hang`: never. */
export type IdentityBehaviour = 'answer' | 'throttle' | 'fail' | 'hang' | 'deny' | 'gone'

export type Logins = Readonly<Record<string, string>>

export interface IdentityCall {
  readonly operation: IdentityOperation
  readonly body: {
    readonly IdentityPoolId?: string
    readonly IdentityId?: string
    readonly AccountId?: string
    readonly CustomRoleArn?: string
    readonly Logins?: Logins
  }
  readonly headers: IncomingMessage['headers']
}

export interface IdentityEndpoint {
  readonly origin: string
  readonly calls: readonly IdentityCall[]
  /** Calls of this operation so far. */
  count(operation: IdentityOperation): number
  /** How calls are met from now on, of one operation or of all. */
  behave(behaviour: IdentityBehaviour, operation?: IdentityOperation): void
  /** By how much its clock, which its Date header and expiries tell, is ahead. */
  skew(ms: number): void
  /** Lets the calls that hang go on as if they had not. */
  release(): void
  close(): Promise<void>
}

export interface IdentityEndpointOptions {
  readonly identityPoolId: string
  /** The credentials for these logins; none for a guest. */
  readonly credentialsFor: (
    logins: Logins,
    customRoleArn: string | undefined,
  ) => Promise<IdentityCredentials>
}

type Answer = readonly [status: number, body: object]

interface State {
  readonly behaviours: Map<IdentityOperation, IdentityBehaviour>
  readonly waiting: Set<() => void>
  readonly calls: IdentityCall[]
  skewMs: number
}

const OPERATIONS: readonly IdentityOperation[] = [
  'GetId',
  'GetCredentialsForIdentity',
  'GetOpenIdToken',
]

export async function startIdentityEndpoint(
  options: IdentityEndpointOptions,
): Promise<IdentityEndpoint> {
  const state: State = { behaviours: new Map(), waiting: new Set(), calls: [], skewMs: 0 }
  const server = createServer((request, response) => {
    void respond(request, response, options, state)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const release = () => {
    for (const go of state.waiting) go()
    state.waiting.clear()
  }
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: state.calls,
    count: (wanted) => state.calls.filter(({ operation }) => operation === wanted).length,
    behave(behaviour, operation) {
      for (const each of operation ? [operation] : OPERATIONS) state.behaviours.set(each, behaviour)
    },
    skew: (ms) => {
      state.skewMs = ms
    },
    release,
    close: () =>
      new Promise((resolve) => {
        release()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: IdentityEndpointOptions,
  state: State,
): Promise<void> {
  const target = String(request.headers['x-amz-target'])
  const operation = OPERATIONS.find((each) => target === `AWSCognitoIdentityService.${each}`)
  const body = JSON.parse(await text(request)) as IdentityCall['body']
  if (operation) state.calls.push({ operation, body, headers: request.headers })
  const behaviour = (operation && state.behaviours.get(operation)) ?? 'answer'
  if (behaviour === 'hang') await new Promise<void>((resolve) => state.waiting.add(resolve))
  const [status, answer] = await answerTo(operation, body, behaviour, options, state).catch(
    (error: unknown): Answer => [500, { message: String(error) }],
  )
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    date: new Date(Date.now() + state.skewMs).toUTCString(),
    'x-amzn-requestid': randomUUID(),
  })
  response.end(JSON.stringify(answer))
}

async function answerTo(
  operation: IdentityOperation | undefined,
  body: IdentityCall['body'],
  behaviour: IdentityBehaviour,
  { identityPoolId, credentialsFor }: IdentityEndpointOptions,
  { skewMs }: State,
): Promise<Answer> {
  if (!operation) return refuse('UnknownOperationException')
  if (behaviour === 'throttle') return refuse('TooManyRequestsException')
  if (behaviour === 'deny') return refuse('NotAuthorizedException')
  if (behaviour === 'gone') return refuse('ResourceNotFoundException')
  if (behaviour === 'fail') return [500, { __type: 'InternalErrorException' }]
  const identityId = toIdentityId(identityPoolId, body.Logins ?? {})
  if (operation === 'GetId') {
    if (body.IdentityPoolId !== identityPoolId) return refuse('ResourceNotFoundException')
    return [200, { IdentityId: identityId }]
  }
  if (body.IdentityId !== identityId) return refuse('NotAuthorizedException')
  if (operation === 'GetOpenIdToken') {
    return [200, { IdentityId: identityId, Token: `open-id-token.${identityId}` }]
  }
  const credentials = await credentialsFor(body.Logins ?? {}, body.CustomRoleArn)
  const Expiration = credentials.Expiration + skewMs / 1000
  return [200, { IdentityId: identityId, Credentials: { ...credentials, Expiration } }]
}

function refuse(type: string): Answer {
  return [400, { __type: type, message: `${type} of the stand-in` }]
}

/** One for each user, whichever of the user's tokens the login is. */
function toIdentityId(identityPoolId: string, logins: Logins): string {
  const users = Object.entries(logins).map(([provider, token]) => `${provider} ${subjectOf(token)}`)
  const hex = createHash('sha256').update(users.join()).digest('hex')
  const [region] = identityPoolId.split(':')
  return `${region}:${[8, 12, 16, 20, 32].map((end, index) => hex.slice([0, 8, 12, 16, 20][index], end)).join('-')}`
}

/** Claims of a JWT, unverified; a stand-in believes everybody. */
export function unverifiedClaims(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}')
}

function subjectOf(token: string): unknown {
  try {
    return unverifiedClaims(token).sub
  } catch {
    return token
  }
}
