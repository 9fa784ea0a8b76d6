// Settings of one upstream: the services that allowed requests go to.
import { z } from 'zod'
import {
  count,
  duration,
  durationOrNone,
  expected,
  flag,
  listOf,
  oneOf,
  parsedText,
  text,
} from './fields.ts'
import { aws, handOut } from './schema-aws.ts'
import { discover } from './schema-discover.ts'
import { HEADER_NAME_PATTERN } from './identity-header-names.ts'
import { parseListenAddress } from './listen-address.ts'
import { parseOrigin } from './web-address.ts'

const HOUR_MS = 3_600_000
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/
const TARGETS = 'a list of origins'

const target = parsedText(
  'an http or https origin such as http://10.0.1.10:8080, without path, query or user name, or unix:/path',
  /^(https?:\/\/|unix:\/)/,
  parseTarget,
).meta({ title: 'origin or socket' })

function parseTarget(text: string): string | undefined {
  return text.startsWith('unix:') ? parseSocket(text) : parseOrigin(text)
}

function parseSocket(text: string): string | undefined {
  return 'problem' in parseListenAddress(text) ? undefined : text
}

const pem = text('the path of a PEM file')

const tls = z
  .strictObject({
    ca: pem
      .exactOptional()
      .describe("Path of a PEM file: who is trusted here, in the place of the system's."),
    cert: pem.exactOptional().describe('Path of a PEM file with the client certificate to show.'),
    key: pem.exactOptional().describe('Path of a PEM file with its private key.'),
    serverName: text('a host name', HOST_NAME)
      .exactOptional()
      .describe("The name that certificates have to be for. Default: the target's host."),
  })
  .refine((given) => Object.keys(given).length > 0, {
    error: 'expected ca, cert and key, or serverName',
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'cert and key are needed together',
  })
  .exactOptional()
  .describe('How https targets are spoken to. Default: the certificates that the system trusts.')

/** `none` is no bound. */
export function orForever(ms: number | 'none'): number {
  return ms === 'none' ? Number.POSITIVE_INFINITY : ms
}

const timeouts = z
  .strictObject({
    connect: duration(1, HOUR_MS).prefault('3s').describe('For a connection to be made.'),
    response: duration(1, HOUR_MS)
      .prefault('30s')
      .describe('Until the headers of the response have come.'),
    idle: duration(1, 24 * HOUR_MS)
      .prefault('60s')
      .describe('Between two bytes of the body of the response.'),
    total: durationOrNone(1, 24 * HOUR_MS)
      .prefault('none')
      .describe(
        'From dispatch to the end of the response, upload and second attempt included; where `response` is set too, more than that.',
      ),
    queue: duration(1, HOUR_MS)
      .prefault('1s')
      .describe('For a connection to be free when all are taken; beyond it 503.'),
  })
  .transform(({ connect, response, idle, total, queue }) => ({
    connectMs: connect,
    responseMs: response,
    idleMs: idle,
    totalMs: orForever(total),
    queueMs: queue,
  }))
  .prefault({})
  .describe("Time-outs of the upstream's side.")

const ejection = z
  .strictObject({
    failures: count(0, 1_000)
      .prefault(5)
      .describe('Failures in a row (no answer, a broken one, 502, 503, 504); 0 for never.'),
    time: duration(1, HOUR_MS)
      .prefault('10s')
      .describe(
        'How long the first time; the second time twice as long, the third three times, up to `maxTime`.',
      ),
    maxTime: duration(1, HOUR_MS).prefault('30s').describe('Never longer than this.'),
  })
  .transform(({ failures, time, maxTime }) => ({ failures, timeMs: time, maxTimeMs: maxTime }))
  .prefault({})
  .describe(
    'When a target among several gets no requests for a while. At least half of them always do.',
  )

const STATUS = 'a status such as 204, or a range such as 200-299'
const STATUSES = /^[1-5]\d\d-[1-5]\d\d$/

/** First and last status. */
function parseStatuses(value: string): readonly [number, number] | undefined {
  const [first = 0, last = 0] = value.split('-').map(Number)
  return first <= last ? [first, last] : undefined
}

const statuses = z.union(
  [
    count(100, 599).transform((status): readonly [number, number] => [status, status]),
    parsedText(STATUS, STATUSES, parseStatuses).meta({ title: 'range' }),
  ],
  { error: expected(STATUS) },
)

const health = z
  .strictObject({
    path: text('a path that begins with / such as /healthz', /^\/[!-~]*$/).describe(
      'What is asked for with GET, a query included.',
    ),
    host: text('a host such as orders.internal', /^[!-~]+$/)
      .exactOptional()
      .describe("The Host of checks. Default: the target's own."),
    interval: duration(100, HOUR_MS)
      .prefault('5s')
      .describe('Between two checks of a target, give or take a tenth.'),
    timeout: duration(10, HOUR_MS)
      .prefault('2s')
      .describe('For a whole response; less than `interval`.'),
    healthy: count(1, 100)
      .prefault(2)
      .describe('Checks in a row that have to go well before an unhealthy target is healthy.'),
    unhealthy: count(1, 100)
      .prefault(3)
      .describe('Checks in a row that have to fail before a healthy target is unhealthy.'),
    status: listOf(statuses, 'a list of statuses', 'expected at least one status')
      .prefault(['200-299'])
      .describe('Statuses that say that a target is well.'),
  })
  .transform(({ interval, timeout, host, ...rest }) => ({
    ...rest,
    host,
    intervalMs: interval,
    timeoutMs: timeout,
  }))
  .exactOptional()
  .describe('Asks each target now and then whether it is well. Default: it is not asked.')

export const upstream = z
  .strictObject({
    targets: z
      .array(target, { error: expected(TARGETS) })
      .min(1, { error: expected(TARGETS) })
      .optional()
      .describe(
        'Origins of the service (scheme, host, port) or `unix:/path`; requests are divided among them. Either this, `discover`, `aws` or `handOut`.',
      ),
    discover: discover.optional(),
    aws,
    handOut,
    balance: oneOf(['least-requests', 'round-robin', 'hash'])
      .prefault('least-requests')
      .describe(
        'Which target a request goes to: the less busy of two taken by chance, each in turn, or always the same one for the same `hashOn`.',
      ),
    hashOn: text('subject, or the name of a header', HEADER_NAME_PATTERN)
      .transform((name) => name.toLowerCase())
      .optional()
      .describe(
        'What `hash` goes by: `subject` (the verified caller, the default), or a header as the upstream gets it. Without a value it is `least-requests`.',
      ),
    ejection,
    health,
    timeouts,
    engine: z
      .enum(['lean', 'undici'])
      .prefault('lean')
      .describe(
        'What speaks HTTP/1.1 to the targets. `lean` is quicker and for plain http alone; https targets always use `undici`.',
      ),
    http2: flag()
      .prefault(false)
      .describe(
        'Speak HTTP/2 with the targets: chosen by ALPN on https, with prior knowledge on plain http. gRPC needs it.',
      ),
    host: oneOf(['client', 'upstream'])
      .prefault('client')
      .describe(
        "Which Host the targets get: the client's, or their own name. `X-Forwarded-Host` always has the client's.",
      ),
    tls,
    connections: count(1, 100_000)
      .prefault(256)
      .describe('Most connections to each target at once.'),
    queue: count(0, 1_000_000)
      .prefault(1_000)
      .describe('Most requests that wait for a connection to a target; more are answered 503.'),
    keepAlive: duration(1, HOUR_MS)
      .prefault('4s')
      .describe(
        "How long an unused connection is kept. Must be shorter than the upstream's own idle time-out.",
      ),
  })
  .transform(({ keepAlive, targets = [], hashOn = 'subject', ...rest }) => ({
    ...rest,
    targets,
    hashOn,
    keepAliveMs: keepAlive,
  }))
