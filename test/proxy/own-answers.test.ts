// Who gets which of the answers that Poolgate gives by itself, and which of them end a connection.
import t from 'tap'
import type { Preflight } from '../../src/policy/decision.ts'
import type { ClientRequest, ClientResponse } from '../../src/proxy/client-side.ts'
import type { DecisionEndpoint } from '../../src/proxy/decision-endpoint.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { createOwnAnswers } from '../../src/proxy/own-answers.ts'
import { realClock } from '../support/real-clock.ts'

const ENDPOINT: DecisionEndpoint = {
  name: 'an-endpoint',
  answersPreflights: false,
  redirects: false,
  read: () => ({ refused: true, reason: 'request_malformed', detail: '' }),
  toFields: () => [],
  toDenial: (denial, reason) => ({ ...denial, status: 403, headers: { reason } }),
}

interface Options {
  readonly http2?: ClientRequest['http2']
  readonly waits?: boolean
  readonly draining?: boolean
  readonly decides?: DecisionEndpoint
}

function start({ http2, waits = false, draining = false, decides }: Options = {}) {
  const sent = { status: 0, headers: {} as Record<string, string>, body: '' }
  const ended: Exchange[] = []
  const socket = { remoteAddress: '' }
  const request = { method: 'GET', url: '/', rawHeaders: [], socket, http2, readableEnded: true }
  const response = {
    req: request,
    writeHead(status: number, headers: Record<string, string>) {
      Object.assign(sent, { status, headers })
      return response
    },
    end: (body = '') => Object.assign(sent, { body }),
  }
  const exchange = new Exchange(
    'id-1',
    { ...request, on: () => {}, resume: () => {} } as unknown as ClientRequest,
    response as unknown as ClientResponse,
    realClock,
    waits,
    undefined,
    decides,
  )
  const answers = createOwnAnswers(
    { clock: realClock, draining: () => draining, ending: (each) => ended.push(each) },
    (item) => item.run(),
  )
  return { answers, exchange, sent, ended }
}

t.test('a denial ends the connection where nobody knows what comes next', async (t) => {
  const cases: [Options, 'route_not_found' | 'request_malformed', boolean][] = [
    [{}, 'route_not_found', false],
    [{}, 'request_malformed', true],
    [{ waits: true }, 'route_not_found', true],
    [{ draining: true }, 'route_not_found', true],
  ]
  for (const [options, reason, ends] of cases) {
    const { answers, exchange, sent, ended } = start(options)
    answers.deny(exchange, reason, 'why')
    t.match(sent.body, `"reason":"${reason}"`)
    t.equal(sent.headers.connection, ends ? 'close' : undefined)
    t.same(ended, ends ? [exchange] : [])
    t.match(exchange, { reason, detail: 'why' })
  }
})

t.test(
  'gRPC is denied in its own form, and an endpoint says in which form it is asked',
  async (t) => {
    const http2 = { isGrpc: true, hasBody: false, takesTrailers: false, isOversized: false }
    const call = start({ http2 })
    call.answers.deny(call.exchange, 'group_missing', '')
    t.match(call.sent, { status: 200, headers: { 'grpc-status': '7' } })
    const asked = start({ http2, decides: ENDPOINT })
    asked.answers.deny(asked.exchange, 'route_not_found', '')
    t.match(asked.sent, { status: 403, headers: { reason: 'route_not_found' } })
  },
)

t.test('a preflight is denied by an endpoint that cannot pass on its answer', async (t) => {
  const preflight = { kind: 'preflight', fields: { vary: 'Origin' } } as unknown as Preflight
  const denied = start({ decides: ENDPOINT })
  denied.answers.permit(denied.exchange, preflight)
  t.equal(denied.exchange.decision, 'deny')
  t.equal(denied.sent.status, 403)
  for (const decides of [{ ...ENDPOINT, answersPreflights: true }, undefined]) {
    const { answers, exchange, sent } = start(decides === undefined ? {} : { decides })
    answers.permit(exchange, preflight)
    t.match(sent, { status: 204, headers: { vary: 'Origin' } })
  }
})
