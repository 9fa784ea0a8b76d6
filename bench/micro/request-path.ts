// The other steps of a request that cost something: route table, decision, header building, access line.
import type { Host } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import type { Allow } from '../../src/policy/decision.ts'
import { compileClientHeaders } from '../../src/proxy/client-headers.ts'
import { compileUpstreamHeaders } from '../../src/proxy/upstream-headers.ts'
import { toAccessLine } from '../../src/telemetry/access-line.ts'
import type { ExchangeRecord } from '../../src/telemetry/exchange-record.ts'
import { CLIENT_ID } from '../tokens.ts'
import { type Operation, toOperation } from './operation.ts'
import { createPoolgateParts } from './poolgate-parts.ts'
import { toFreshText, type TokenSupply } from './token-supply.ts'

export interface RequestPathSizes {
  /** Operations in a block of the cheap steps. */
  readonly steps: number
  /** Header blocks, which have to be made anew for each operation, in a block. */
  readonly heads: number
}

const HOST: Host = { name: 'api.example.com', port: '', authority: 'api.example.com' }
const HOT_TOKENS = 100
const TARGETS = 1_000

const REQUEST_FIELDS = [
  ['Host', HOST.authority],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0'],
  ['Accept', 'application/json, text/plain, */*'],
  ['Accept-Language', 'en-GB,en;q=0.7,de;q=0.3'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Authorization', 'Bearer ey'],
  ['Connection', 'keep-alive'],
  ['X-Auth-Subject', 'somebody-else'],
] as const

const RESPONSE_FIELDS = [
  ['Server', 'nginx'],
  ['Date', 'Mon, 23 Nov 2026 12:00:00 GMT'],
  ['Content-Type', 'application/json'],
  ['Content-Length', '128'],
  ['Connection', 'keep-alive'],
  ['ETag', '"5f3c-1a2b3c4d5e"'],
  ['Cache-Control', 'no-store'],
] as const

export function routeTableOf(routes: number): string {
  return `route table of ${routes.toLocaleString('en')}, match`
}

export async function createRouteMatches(
  supply: TokenSupply,
  { steps }: RequestPathSizes,
): Promise<Operation[]> {
  const toMatch = async (routes: number) => {
    const { table } = await createPoolgateParts(supply, { routes, cacheEntries: 1 })
    const targets = Array.from({ length: TARGETS }, (_, n) => toTarget((n * 7) % routes))
    const find = (target: ReturnType<typeof toTarget>) => {
      const match = table.match('GET', HOST.name, target)
      return match !== undefined && 'route' in match ? match.route.route.name : ''
    }
    return toOperation(
      routeTableOf(routes),
      steps,
      targets,
      (target) => find(target).length,
      () => [
        ...targets
          .filter((target) => find(target) !== target.path.split('/')[1])
          .map(({ path }) => `${path} finds another route`),
        ...(find(toTarget(routes)) === '' ? [] : ['a path of no route finds one']),
      ],
    )
  }
  return [await toMatch(10), await toMatch(1_000)]
}

/** From facts to Allow: route, credential, cache, rule. */
export async function createDecision(
  supply: TokenSupply,
  { steps }: RequestPathSizes,
): Promise<Operation> {
  const { authorize } = await createPoolgateParts(supply, { routes: 10, cacheEntries: 1_000 })
  const toField = (token: Buffer) => Buffer.concat([Buffer.from('Bearer '), token])
  const isAllowed = (field: Buffer) => {
    const decision = authorize(toFacts(toFreshText(field), []))
    return 'kind' in decision && decision.kind === 'allow' ? 1 : 0
  }
  const hot = supply.tokens.slice(0, HOT_TOKENS).map(toField)
  return toOperation('authorize, known token', steps, hot, isAllowed, () => [
    ...(isAllowed(toField(supply.spare)) ? [] : ['a good token is denied']),
    ...(supply.bad.map(toField).some(isAllowed) ? ['a bad token is allowed'] : []),
  ])
}

export async function createHeaderBuilders(
  supply: TokenSupply,
  { heads }: RequestPathSizes,
): Promise<Operation[]> {
  const { authorize, identityHeaders } = await createPoolgateParts(supply, {
    routes: 10,
    cacheEntries: 1,
  })
  const allow = authorize(toFacts(`Bearer ${toFreshText(supply.spare)}`, [])) as Allow
  const toUpstream = compileUpstreamHeaders(identityHeaders)
  const request = (lines: readonly string[]) => toUpstream(toFacts(undefined, lines), allow, 'id-1')
  const requestIsRight = (lines: readonly string[]) =>
    valuesOf(lines, 'x-auth-subject').join() === allow.principal?.subject &&
    valuesOf(lines, 'user-agent').length === 1 &&
    valuesOf(lines, 'connection').length === 0
  const response = compileClientHeaders(identityHeaders)
  const responseIsRight = (lines: readonly string[]) =>
    valuesOf(lines, 'etag').length === 1 && valuesOf(lines, 'connection').length === 0
  return [
    toHeadOperation('upstream headers, of 8', heads, REQUEST_FIELDS, request, requestIsRight),
    toHeadOperation('client headers, of 7', heads, RESPONSE_FIELDS, response, responseIsRight),
  ]
}

export function createAccessLines({ steps }: RequestPathSizes): Operation {
  const records = Array.from({ length: TARGETS }, (_, n) => toRecord(n))
  const toLine = (record: ExchangeRecord) => toAccessLine(record, '2026-11-23T12:00:00.007Z')
  // Asking for the last character makes the pieces into one text, as writing them does.
  const once = (record: ExchangeRecord) => toLine(record).at(-1)?.length ?? 0
  return toOperation('access line', steps, records, once, () => {
    const { path, client_id } = JSON.parse(toLine(toRecord(7))) as Record<string, unknown>
    return path === toRecord(7).path && client_id === CLIENT_ID ? [] : ['the line is wrong']
  })
}

/** Names and values are new strings each time, as a parser makes them; making them is not timed. */
function toHeadOperation(
  name: string,
  count: number,
  fields: readonly (readonly [string, string])[],
  build: (lines: readonly string[]) => readonly string[],
  isRight: (lines: readonly string[]) => boolean,
): Operation {
  const bytes = fields.flat().map((text) => Buffer.from(text))
  const toLines = () => bytes.map(toFreshText)
  return {
    name,
    count,
    prepare() {
      const heads = Array.from({ length: count }, toLines)
      return () => heads.reduce((sum, lines) => sum + build(lines).length, 0)
    },
    check: () => (isRight(build(toLines())) ? [] : ['the lines are wrong']),
  }
}

function valuesOf(lines: readonly string[], name: string): string[] {
  return lines.filter((_, i) => i % 2 === 1 && lines[i - 1]?.toLowerCase() === name)
}

function toTarget(service: number): RequestTarget {
  const target = parseRequestTarget(`/service-${service}/items/4711`, HOST.authority)
  if ('refused' in target) throw new Error(target.detail)
  return target
}

const TARGET = toTarget(7)

function toFacts(authorization: string | undefined, headers: readonly string[]): RequestFacts {
  return {
    method: 'GET',
    host: HOST,
    target: TARGET,
    headers,
    authorization,
    clientAddress: '192.0.2.7',
    peerAddress: '192.0.2.7',
    peerTrusted: false,
    secure: false,
    hasBody: false,
    contentLength: undefined,
  }
}

function toRecord(n: number): ExchangeRecord {
  return {
    id: `0f1e2d3c4b5a-${n.toString(36)}`,
    startedAtMs: 0,
    endpoint: '',
    method: 'GET',
    host: HOST.name,
    path: `/service-7/items/${n}`,
    clientAddress: '192.0.2.7',
    status: 200,
    route: 'service-7',
    routeIndex: 7,
    decision: 'allow',
    reason: '',
    detail: '',
    subject: `6235a4f4-0001-7000-a000-${String(n).padStart(12, '0')}`,
    userPool: 'main',
    clientId: CLIENT_ID,
    upstream: 'service',
    target: '',
    attempts: 0,
    outcome: 'complete',
    durationMs: 0.4 + n / 7_000,
    overheadMs: 0.05,
    upstreamMs: 0.3,
    requestBytes: 0,
    responseBytes: 128,
  }
}
