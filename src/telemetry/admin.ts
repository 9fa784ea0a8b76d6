// The admin listener's answers: is it alive, is it ready, what has it counted, how are its upstreams. Reads only, and never for a browser's page.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { toUpstreamsJson, type UpstreamSource } from './upstream-families.ts'

export interface Readiness {
  readonly ready: boolean
  /** Why it is not ready, one line each. */
  readonly reasons: readonly string[]
}

export interface AdminOptions {
  readonly ready: () => Readiness
  readonly upstreams: () => readonly UpstreamSource[]
  readonly metrics: Pick<Metrics, 'render'>
  readonly log: Pick<Log, 'error'>
}

interface AdminAnswer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

const PLAIN_TEXT = 'text/plain; charset=utf-8'

/** Answers GET and HEAD of /livez, /readyz, /upstreams and /metrics; whatever comes from a page of another origin is refused. */
export function createAdminHandler(
  options: AdminOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const answers = new Map<string, (request: IncomingMessage) => AdminAnswer | Promise<AdminAnswer>>(
    [
      ['/livez', () => ({ status: 200, body: 'ok\n' })],
      ['/readyz', () => toReadinessAnswer(options.ready())],
      [
        '/upstreams',
        () => ({
          status: 200,
          body: toUpstreamsJson(options.upstreams()),
          contentType: 'application/json; charset=utf-8',
        }),
      ],
      ['/metrics', (request) => toMetricsAnswer(options, request.headers.accept)],
    ],
  )
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const answer = answers.get(path)
    if (answer === undefined) respond(response, { status: 404, body: 'not found\n' })
    else if (request.headers.origin !== undefined) {
      respond(response, { status: 403, body: 'not for browsers\n' })
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      respond(response, { status: 405, body: 'method not allowed\n' })
    } else void Promise.resolve(answer(request)).then((made) => respond(response, made))
  }
}

function toReadinessAnswer({ ready, reasons }: Readiness): AdminAnswer {
  if (ready) return { status: 200, body: 'ok\n' }
  return { status: 503, body: ['not ready', ...reasons].map((line) => `${line}\n`).join('') }
}

async function toMetricsAnswer(
  { metrics, log }: AdminOptions,
  accept: string | undefined,
): Promise<AdminAnswer> {
  try {
    return { status: 200, ...(await metrics.render(accept)) }
  } catch (error) {
    log.error({ err: error }, 'the metrics could not be read')
    return { status: 500, body: 'metrics could not be read\n' }
  }
}

function respond(response: ServerResponse, answer: AdminAnswer): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? PLAIN_TEXT,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(answer.body)
}
