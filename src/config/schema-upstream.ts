// Settings of one upstream: the services that allowed requests go to.
import { z } from 'zod'
import { count, duration, expected, parsedText } from './fields.ts'
import { parseOrigin } from './web-address.ts'

const HOUR_MS = 3_600_000
const ONE_TARGET =
  'expected exactly one target for now; put a load balancer or a service name behind it'

const target = parsedText(
  'an http or https origin such as http://10.0.1.10:8080, without path, query or user name',
  /^https?:\/\//,
  parseOrigin,
).meta({ title: 'origin' })

const timeouts = z
  .strictObject({
    connect: duration(1, HOUR_MS).prefault('3s').describe('For a connection to be made.'),
    response: duration(1, HOUR_MS)
      .prefault('30s')
      .describe('Until the headers of the response have come.'),
    idle: duration(1, 24 * HOUR_MS)
      .prefault('60s')
      .describe('Between two bytes of the body of the response.'),
  })
  .transform(({ connect, response, idle }) => ({
    connectMs: connect,
    responseMs: response,
    idleMs: idle,
  }))
  .prefault({})
  .describe("Time-outs of the upstream's side.")

export const upstream = z
  .strictObject({
    targets: z
      .array(target, {
        error: expected('a list with one origin', 'is required: a list with one origin'),
      })
      .length(1, { error: ONE_TARGET })
      .transform((targets) => targets as [string])
      .describe('Origins of the service (scheme, host, port). Exactly one for now.'),
    timeouts,
    engine: z
      .enum(['lean', 'undici'])
      .prefault('lean')
      .describe(
        'What speaks to the target. `lean` is quicker and for plain http alone; https targets always use `undici`.',
      ),
    connections: count(1, 100_000)
      .prefault(256)
      .describe('Most connections to the target at once.'),
    queue: count(0, 1_000_000)
      .prefault(1_000)
      .describe('Most requests that wait for a connection; more are answered 503.'),
    keepAlive: duration(1, HOUR_MS)
      .prefault('4s')
      .describe(
        "How long an unused connection is kept. Must be shorter than the upstream's own idle time-out.",
      ),
  })
  .transform(({ keepAlive, ...rest }) => ({ ...rest, keepAliveMs: keepAlive }))
