// A request as the event that a function gets of it: payload format 2.0 of API Gateway's HTTP APIs and of function URLs. Takes
// nothing away but what the format has a place of its own for: what may go to AWS has been decided before.
import { isUtf8 } from 'node:buffer'
import { firstValue, listValue, type RawHeaders, trimBlanks, valuesOf } from '../http/headers.ts'
import { parseHost } from '../http/host.ts'

/** What the event says of the verified caller. */
export interface LambdaPrincipal {
  readonly claims: Readonly<Record<string, unknown>>
  readonly scopes?: readonly string[] | undefined
}

export interface LambdaRequest {
  readonly method: string
  /** Path and query string as sent, percent-encoded. */
  readonly target: string
  /** What would go to any upstream: with Host, X-Forwarded-For and X-Request-Id. */
  readonly headers: RawHeaders
  readonly body: Buffer | undefined
  readonly principal: LambdaPrincipal | undefined
  readonly nowMs: number
}

const TEXT_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/xml',
  'application/javascript',
  'application/x-www-form-urlencoded',
])

/** JSON of the event. */
export function toLambdaEvent(request: LambdaRequest): string {
  const { target, headers } = request
  const queryAt = target.indexOf('?')
  const rawPath = queryAt < 0 ? target : target.slice(0, queryAt)
  const rawQueryString = queryAt < 0 ? '' : target.slice(queryAt + 1)
  const cookies = toCookies(headers)
  return JSON.stringify({
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers: toFields(headers),
    ...(rawQueryString !== '' && { queryStringParameters: toParameters(rawQueryString) }),
    requestContext: toContext(request, rawPath),
    ...toBody(request),
  })
}

function toContext({ method, headers, principal, nowMs }: LambdaRequest, path: string): object {
  const host = parseHost(firstValue(headers, 'host'))
  const domainName = 'refused' in host ? '' : host.name
  const domainPrefix = domainName.split('.')[0] ?? ''
  return {
    accountId: 'anonymous',
    apiId: domainPrefix,
    ...(principal && { authorizer: { jwt: toJwt(principal) } }),
    domainName,
    domainPrefix,
    http: {
      method,
      path,
      protocol: 'HTTP/1.1',
      sourceIp: toSourceIp(headers),
      userAgent: firstValue(headers, 'user-agent') ?? '',
    },
    requestId: firstValue(headers, 'x-request-id') ?? '',
    routeKey: '$default',
    stage: '$default',
    time: toTime(nowMs),
    timeEpoch: nowMs,
  }
}

function toJwt({ claims, scopes }: LambdaPrincipal): object {
  const texts = Object.entries(claims).map(([name, value]) => [name, toClaimText(value)])
  return { claims: Object.fromEntries(texts), scopes: scopes ?? null }
}

/** As API Gateway's JWT authorizer writes claims: a list as `[a b]`, which is how functions there find `cognito:groups`. */
function toClaimText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map(toClaimText).join(' ')}]`
  return JSON.stringify(value) ?? ''
}

/** The last address is that of the connection itself; those before it are what others said. */
function toSourceIp(headers: RawHeaders): string {
  return trimBlanks((listValue(headers, 'x-forwarded-for') ?? '').split(',').at(-1) ?? '')
}

/** As in `12/Mar/2020:19:03:58 +0000`. */
function toTime(nowMs: number): string {
  const [, day, month, year, time] = new Date(nowMs).toUTCString().split(' ')
  return `${day}/${month}/${year}:${time} +0000`
}

function toCookies(headers: RawHeaders): string[] {
  return valuesOf(headers, 'cookie')
    .flatMap((line) => line.split(';'))
    .map(trimBlanks)
    .filter((cookie) => cookie !== '')
}

function toFields(headers: RawHeaders): Record<string, string> {
  const fields: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (name !== 'cookie') fields.push([name, headers[i + 1] as string])
  }
  return joinByName(fields)
}

function toParameters(query: string): Record<string, string> {
  return joinByName(new URLSearchParams(query))
}

/** Through a Map: `__proto__` is a name like any other. */
function joinByName(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const joined = new Map<string, string>()
  for (const [name, value] of pairs) {
    const earlier = joined.get(name)
    joined.set(name, earlier === undefined ? value : `${earlier},${value}`)
  }
  return Object.fromEntries(joined)
}

function toBody({ headers, body }: LambdaRequest): object {
  if (body === undefined || body.length === 0) return { isBase64Encoded: false }
  const isText = isTextType(firstValue(headers, 'content-type') ?? '') && isUtf8(body)
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }
}

function isTextType(contentType: string): boolean {
  const type = trimBlanks(contentType.split(';')[0] ?? '').toLowerCase()
  return type.startsWith('text/') || TEXT_TYPES.has(type) || /\+(?:json|xml)$/.test(type)
}
