// Asks for the decision on one request in every way there is: by having it proxied, and by each protocol that ingresses ask by.
import type { DecisionCase } from './decision-cases.ts'
import { type EnvoyCheck, toHeaderMap } from './envoy-check.ts'
import { sendRaw } from './raw-client.ts'

export const MODES = [
  ...(['proxy', 'auth-request', 'forward-auth', 'nginx-gateway-fabric'] as const),
  ...(['ext-authz', 'ext-authz-grpc'] as const),
] as const
export type Mode = (typeof MODES)[number]

export interface Asked {
  readonly status: number
  /** By which its access line is found. */
  readonly requestId: string
  /** Of the answer, by name in lower case; what is set on a request that goes on, where that is the answer. */
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  /** Of what the client gets. */
  readonly cacheControl: string | undefined
  /** Names of fields that are to be taken out of the request. */
  readonly remove: readonly string[]
  readonly body: string
}

/** @param requestId the one that the asking peer gives; what is refused before it is read has one of the gateway's own */
export type Ask = (one: DecisionCase, requestId: string) => Promise<Asked>

export function createModes(origin: string, envoy: EnvoyCheck): Readonly<Record<Mode, Ask>> {
  const viaHttp =
    (toHead: (one: DecisionCase) => Head): Ask =>
    async (one, requestId) => {
      const asked = toHead(one)
      const { text, statuses } = await sendRaw(origin, write(asked, requestId), {
        // One core may have many others to attend to.
        quietMs: 8_000,
        until: (received) => isWhole(received, asked.method),
      })
      const { headers, ...rest } = readAnswer(text)
      const { 'x-request-id': given = requestId } = headers
      const remove = headers['x-envoy-auth-headers-to-remove']?.split(',') ?? []
      return { status: statuses[0] ?? 0, requestId: given, headers, remove, ...rest }
    }
  return {
    proxy: viaHttp(({ method, host, target, headers }) => ({ method, host, target, headers })),
    'auth-request': viaHttp(({ method, host, target, headers }) => ({
      ...ASKING('auth-request'),
      headers: [
        ...['x-original-method', method, 'x-original-url', `http://${host}${target}`],
        ...passedOn(headers),
      ],
    })),
    'forward-auth': viaHttp(({ method, host, target, headers }) => ({
      ...ASKING('forward-auth'),
      headers: [
        ...['x-forwarded-method', method, 'x-forwarded-proto', 'http'],
        ...['x-forwarded-host', host, 'x-forwarded-uri', target],
        ...passedOn(headers),
      ],
    })),
    'nginx-gateway-fabric': viaHttp(({ method, host, target, headers }) => ({
      ...ASKING('nginx-gateway-fabric'),
      host,
      headers: ['method', method, 'path', target, ...passedOn(headers)],
    })),
    'ext-authz': viaHttp(({ method, host, target, headers }) => ({
      method,
      host,
      target: `/_poolgate/ext-authz${target}`,
      headers: passedOn(headers),
    })),
    async 'ext-authz-grpc'({ method, host, target: path, headers }, requestId) {
      const fields = [...headers, 'x-request-id', requestId]
      const headerMap = toHeaderMap([
        ':path',
        path,
        ':method',
        method,
        ':authority',
        host,
        ...fields,
      ])
      const answer = await envoy.ask({ method, path, host, scheme: 'http', headerMap })
      const { 'x-request-id': given = requestId } = answer.headers
      return { ...answer, requestId: given }
    },
  }
}

type Head = Omit<DecisionCase, 'name'>

const ASKING = (protocol: string) => ({
  method: 'GET',
  host: 'poolgate.internal',
  target: `/_poolgate/${protocol}`,
})

function isWhole(text: string, method: string): boolean {
  const [head = '', body] = text.split('\r\n\r\n', 2)
  if (body === undefined) return false
  const length = /^content-length: *(\d+)/im.exec(head)?.[1] ?? 0
  return method === 'HEAD' || body.length >= Number(length)
}

function readAnswer(text: string): Omit<Asked, 'status' | 'requestId' | 'remove'> {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const lines = head.split('\r\n').slice(1)
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const setCookies = fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
  const headers = Object.fromEntries(fields)
  return { headers, setCookies, cacheControl: headers['cache-control'], body }
}

/** What is of one connection alone stays behind (RFC 9110 section 7.6.1). */
function passedOn(headers: readonly string[]): string[] {
  return headers.filter((_, i) => {
    const name = headers[i - (i % 2)] as string
    return !['connection', 'upgrade'].includes(name.toLowerCase())
  })
}

function write({ method, host, target, headers }: Head, requestId: string): string {
  const lines = ['Host', host, ...headers, 'x-request-id', requestId]
  if (!headers.includes('connection')) lines.push('connection', 'close')
  const fields = lines.map((text, i) => `${text}${i % 2 === 0 ? ': ' : '\r\n'}`).join('')
  return `${method} ${target} HTTP/1.1\r\n${fields}\r\n`
}
