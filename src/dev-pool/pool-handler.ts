// The dev pool over HTTP: which request goes where, and how answers are written. Refuses what was not meant for loopback.
import type { PoolParts } from './pool-parts.ts'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiResult, isApiError, toApiError } from './api-error.ts'
import { IMPORT_PATH } from './api/import-jobs.ts'
import type { Input } from './api/operation.ts'
import { answerOperation, isTarget } from './cognito-api.ts'
import {
  type Answer,
  type Endpoint,
  type Endpoints,
  notAllowed,
  type PoolRequest,
  toJson,
  toText,
} from './endpoint.ts'
import { answerSts } from './identity/assume-role.ts'
import { isForLoopback, readSmallBody } from './local-request.ts'
import { createManagedLogin } from './managed-login/pages.ts'
import { MINT_PATH, parseMintRequest } from './mint-endpoint.ts'
import { CORS } from './oauth/oauth-form.ts'
import { createOAuthEndpoints } from './oauth/oauth-endpoints.ts'
import { DISCOVERY_PATH, JWKS_PATH, toDiscovery, toJwks } from './oidc-documents.ts'

const MAX_BODY_KIB = 64
/** A CSV file of some 20,000 users. */
const MAX_UPLOAD_KIB = 4096
const AMZ_JSON = 'application/x-amz-json-1.1'

export type PoolHandler = (request: IncomingMessage, response: ServerResponse) => void

/** @param report what to do with a defect of the pool itself; the client gets a 500 */
export function createPoolHandler(
  options: PoolParts,
  report: (error: unknown) => void,
): PoolHandler {
  const endpoints = createEndpoints(options)
  return (request, response) => {
    answer(endpoints, request).then(
      (made) => respond(request, response, made),
      (error) => {
        // A client that breaks off in the middle of its body is no defect.
        if (request.destroyed && !request.complete) return
        report(error)
        const failed = toApiError('InternalErrorException', 'Something went wrong here')
        respond(request, response, { ...toApiAnswer(failed), status: 500 })
      },
    )
  }
}

function createEndpoints(options: PoolParts): Endpoints {
  const { pathname: pool, origin } = new URL(options.issuer)
  const document = (content: object) => ({ GET: () => toJson(200, content, CORS) })
  return new Map<string, Readonly<Record<string, Endpoint>>>([
    ['/', { POST: (request) => callApi(options, request) }],
    [IMPORT_PATH, { PUT: (request) => upload(options, request) }],
    [MINT_PATH, { POST: (request) => mint(options, request) }],
    [pool + JWKS_PATH, document(toJwks(options.keys))],
    [pool + DISCOVERY_PATH, document(toDiscovery(options.issuer, origin))],
    ...createOAuthEndpoints(options),
    ...createManagedLogin(options),
  ])
}

async function answer(endpoints: Endpoints, request: IncomingMessage): Promise<Answer> {
  if (!isForLoopback(request)) return toText(403, 'not meant for loopback: wrong Host')
  const { url = '', method = '', headers } = request
  const [path = ''] = url.split('?', 1)
  const methods = endpoints.get(path)
  if (methods === undefined) return toText(404, 'not found')
  const endpoint = methods[method === 'HEAD' ? 'GET' : method]
  if (endpoint === undefined) return notAllowed(toAllow(methods))
  const maxKib = path === IMPORT_PATH ? MAX_UPLOAD_KIB : MAX_BODY_KIB
  const body = await readSmallBody(request, maxKib * 1024)
  if (body === undefined) return toText(413, `the body is larger than ${maxKib} KiB`)
  return endpoint({ path, query: new URLSearchParams(url.slice(path.length)), body, headers })
}

function toAllow(methods: Readonly<Record<string, Endpoint>>): string {
  return Object.keys(methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
}

async function callApi(options: PoolParts, request: PoolRequest): Promise<Answer> {
  const { headers, body } = request
  const target = headers['x-amz-target']
  // STS alone is asked with a form; curl sends JSON under the same name.
  if (target === undefined && /^Action=|&Action=/.test(body)) return answerSts(options, request)
  if (typeof target !== 'string' || !isTarget(target)) {
    const message =
      'X-Amz-Target: AWSCognitoIdentityProviderService.… or AWSCognitoIdentityService.…'
    return toApiAnswer(toApiError('UnknownOperationException', message))
  }
  const input = parseInput(body)
  if (input === undefined) {
    return toApiAnswer(toApiError('SerializationException', 'The body is not a JSON object'))
  }
  return toApiAnswer(await answerOperation(options, target, input))
}

function parseInput(body: string): Input | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Input) : undefined
  } catch {
    return undefined
  }
}

function toApiAnswer(result: ApiResult): Answer {
  const headers = { 'x-amzn-requestid': randomUUID() }
  if (!isApiError(result)) {
    return { status: 200, contentType: AMZ_JSON, headers, body: JSON.stringify(result.body) }
  }
  const { type, message } = result
  return {
    status: 400,
    contentType: AMZ_JSON,
    headers: { ...headers, 'x-amzn-errortype': `${type}:` },
    body: JSON.stringify({ __type: type, message }),
  }
}

function upload({ importJobs }: PoolParts, { query, body }: PoolRequest): Answer {
  if (importJobs.upload(query.get('signature') ?? '', body)) return toText(200, 'uploaded')
  return toText(403, 'no import job waits for this')
}

async function mint({ store, tokens }: PoolParts, { headers, body }: PoolRequest): Promise<Answer> {
  if (headers.origin !== undefined) return toText(403, 'not for browsers')
  const wanted = parseMintRequest(body)
  if (typeof wanted === 'string') return toText(400, wanted)
  const { users } = store.directory()
  const user = users.get(wanted.username)
  if (user === undefined)
    return toText(404, `no such user; there are ${[...users.keys()].join(', ')}`)
  return toText(200, await tokens.mint(wanted.use, user, tokens.signIn(), wanted.changes))
}

function respond(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  })
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}
