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
}

/** @param requestId the one that the asking peer gives; what is refused before it is read has one of the gateway's own */
export type Ask = (one: DecisionCase, requestId: string) => Promise<Asked>

export function createModes(origin: string, envoy: EnvoyCheck): Readonly<Record<Mode, Ask>> {
  const viaHttp =
    (toHead: (one: DecisionCase) => Head): Ask =>
    async (one, requestId) => {
      const { text, statuses } = await sendRaw(origin, write(toHead(one), requestId), {
        // One core may have many others to attend to.
        quietMs: 8_000,
        until: (received) => received.includes('\r\n\r\n'),
      })
      const [, given = requestId] = /^x-request-id: *(\S+)\r$/im.exec(text) ?? []
      return { status: statuses[0] ?? 0, requestId: given }
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
      return { status: answer.status, requestId: given }
    },
  }
}

type Head = Omit<DecisionCase, 'name'>

const ASKING = (protocol: string) => ({
  method: 'GET',
  host: 'poolgate.internal',
  target: `/_poolgate/${protocol}`,
})

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
