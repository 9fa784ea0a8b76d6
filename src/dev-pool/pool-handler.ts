// The dev pool over HTTP: which request goes where, and how answers are written. Refuses what was not meant for loopback.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiResult, isApiError, toApiError } from './api-error.ts'
import { answerOperation, type CognitoApiOptions, type Input } from './cognito-api.ts'
import { isForLoopback, readSmallBody } from './local-request.ts'
import { MINT_PATH, parseMintRequest } from './mint-endpoint.ts'
import { DISCOVERY_PATH, JWKS_PATH, toDiscovery, toJwks } from './oidc-documents.ts'

const SERVICE = 'AWSCognitoIdentityProviderService.'
const AMZ_JSON = 'application/x-amz-json-1.1'

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export type PoolHandler = (request: IncomingMessage, response: ServerResponse) => void

/** @param report what to do with a defect of the pool itself; the client gets a 500 */
export function createPoolHandler(
  options: CognitoApiOptions,
  report: (error: unknown) => void,
): PoolHandler {
  return (request, response) => {
    answer(options, request).then(
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

async function answer(options: CognitoApiOptions, request: IncomingMessage): Promise<Answer> {
  if (!isForLoopback(request)) return toText(403, 'not meant for loopback: wrong Host')
  const [path = ''] = (request.url ?? '').split('?', 1)
  const pool = new URL(options.issuer).pathname
  if (path === pool + JWKS_PATH) return toDocument(request, toJwks(options.keys))
  if (path === pool + DISCOVERY_PATH) return toDocument(request, toDiscovery(options.issuer))
  if (path !== '/' && path !== MINT_PATH) return toText(404, 'not found')
  if (request.method !== 'POST') return notAllowed('POST')
  const body = await readSmallBody(request)
  if (body === undefined) return toText(413, 'the body is larger than 64 KiB')
  return path === '/' ? callApi(options, request, body) : mint(options, request, body)
}

function toDocument({ method }: IncomingMessage, document: object): Answer {
  if (method !== 'GET' && method !== 'HEAD') return notAllowed('GET, HEAD')
  return { status: 200, contentType: 'application/json', body: JSON.stringify(document) }
}

async function callApi(
  options: CognitoApiOptions,
  { headers }: IncomingMessage,
  body: string,
): Promise<Answer> {
  const target = String(headers['x-amz-target'] ?? '')
  if (!target.startsWith(SERVICE)) {
    return toApiAnswer(toApiError('UnknownOperationException', `X-Amz-Target: ${SERVICE}…`))
  }
  const input = parseInput(body)
  if (input === undefined) {
    return toApiAnswer(toApiError('SerializationException', 'The body is not a JSON object'))
  }
  return toApiAnswer(await answerOperation(options, target.slice(SERVICE.length), input))
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

async function mint(
  { directory, tokens }: CognitoApiOptions,
  { headers }: IncomingMessage,
  body: string,
): Promise<Answer> {
  if (headers.origin !== undefined) return toText(403, 'not for browsers')
  const wanted = parseMintRequest(body)
  if (typeof wanted === 'string') return toText(400, wanted)
  const { users } = directory()
  const user = users.get(wanted.username)
  if (user === undefined)
    return toText(404, `no such user; there are ${[...users.keys()].join(', ')}`)
  return toText(200, await tokens.mint(wanted.use, user, tokens.signIn(), wanted.changes))
}

function toText(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}

function notAllowed(methods: string): Answer {
  return { ...toText(405, 'method not allowed'), headers: { allow: methods } }
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
