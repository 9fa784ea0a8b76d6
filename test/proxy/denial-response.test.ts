// One table from reason to answer: every reason has its status, and no body says more than the reason.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import type { PutOff } from '../../src/base/turn-end.ts'
import { DENY_REASONS, type DenyReason, type StepUp } from '../../src/policy/decision.ts'
import {
  ALLOWED_METHODS,
  respondDenied,
  toDenialResponse,
} from '../../src/proxy/denial-response.ts'

const STATUSES: Record<number, readonly DenyReason[]> = {
  400: ['target_ambiguous', 'request_malformed', 'aws_request_refused', 'credential_ambiguous'],
  401: DENY_REASONS.filter((reason) =>
    /^token_|^credential_m|^session_ended$|^insufficient_|^id_token_required$/.test(reason),
  ),
  403: [
    'origin_denied',
    'cors_denied',
    'group_missing',
    'scope_missing',
    'provider_denied',
    'claim_mismatch',
    'policy_denied',
    'credentials_denied',
    'decision_untrusted_peer',
  ],
  404: ['route_not_found'],
  405: ['method_not_allowed'],
  408: ['request_timeout'],
  411: ['length_required'],
  413: ['body_too_large'],
  414: ['target_too_long'],
  417: ['expectation_failed'],
  431: ['headers_too_large'],
  500: ['internal_error'],
  502: ['upstream_unreachable', 'upstream_protocol'],
  503: [
    'keys_unavailable',
    'sessions_unavailable',
    'credentials_unavailable',
    'overloaded',
    'draining',
  ],
  504: ['upstream_timeout'],
  508: ['loop_detected'],
}

t.test('every reason has the status of its kind', async (t) => {
  const seen = Object.entries(STATUSES).flatMap(([status, reasons]) => {
    for (const reason of reasons) t.equal(toDenialResponse(reason, 'id').status, Number(status))
    return reasons
  })
  t.same(seen.sort(), [...DENY_REASONS].sort(), 'and each is listed here')
})

t.test('the body names the reason and the request, and nothing else', async (t) => {
  for (const reason of DENY_REASONS) {
    const { status, headers, body } = toDenialResponse(reason, 'id-1')
    const parsed = JSON.parse(body)
    t.same(Object.keys(parsed), ['error', 'reason', 'request_id'])
    t.match(parsed, { reason, request_id: 'id-1', error: /^[a-z_]+$/ })
    t.equal(parsed.error === 'internal_server_error', status === 500, `${status} has a name`)
    t.match(headers, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.length),
      'cache-control': 'no-store',
      'x-request-id': 'id-1',
    })
  }
})

t.test('401 challenges as RFC 6750 has it, and 403 for scopes alone', async (t) => {
  const challenge = (reason: DenyReason) =>
    toDenialResponse(reason, 'id').headers['www-authenticate']
  for (const reason of DENY_REASONS) {
    const wants = STATUSES[401]?.includes(reason) || reason === 'scope_missing'
    t.equal(challenge(reason) !== undefined, wants, reason)
  }
  t.equal(challenge('credential_missing'), 'Bearer realm="poolgate"')
  t.equal(
    challenge('token_expired'),
    'Bearer realm="poolgate", error="invalid_token", error_description="The token has expired"',
  )
  t.match(challenge('scope_missing'), /error="insufficient_scope"/)
})

t.test('a sign-in that does not suffice is told what would, as RFC 9470 has it', async (t) => {
  const challenge = (stepUp?: StepUp) =>
    toDenialResponse('insufficient_user_authentication', 'id', { stepUp }).headers[
      'www-authenticate'
    ]
  t.match(challenge(), /error="insufficient_user_authentication", error_description="[^"]+"$/)
  t.match(
    challenge({ acrValues: ['urn:a', 'urn:b'], maxAgeSeconds: 60 }),
    /, acr_values="urn:a urn:b", max_age="60"$/,
  )
  t.match(challenge({ maxAgeSeconds: 0 }), /", max_age="0"$/)
})

t.test('where somebody can sign in stands in the body', async (t) => {
  const { body } = toDenialResponse('credential_missing', 'id', { signInUrl: 'https://a/s' })
  t.match(JSON.parse(body), { reason: 'credential_missing', sign_in: 'https://a/s' })
})

t.test('405 lists methods, and a retry is announced where it is known', async (t) => {
  t.equal(toDenialResponse('method_not_allowed', 'id').headers.allow, ALLOWED_METHODS)
  t.equal(
    toDenialResponse('keys_unavailable', 'id', { retryAfterSeconds: 7 }).headers['retry-after'],
    '7',
  )
  t.notHas(toDenialResponse('keys_unavailable', 'id').headers, 'retry-after')
})

/** What respondDenied writes for a request of this method. */
function respond(method: string, close: boolean): string {
  const socket = new Socket()
  let text = ''
  socket.write = ((chunk: string | Buffer) => {
    text += chunk.toString()
    return true
  }) as typeof socket.write
  const request = new IncomingMessage(socket)
  request.method = method
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  const atOnce = (item: PutOff) => item.run()
  respondDenied(response, toDenialResponse('route_not_found', 'id'), close, atOnce)
  return text
}

t.test(
  'where nothing of the request is left to come, the answer leaves when it is told to',
  async (t) => {
    const sent: unknown[] = []
    const response = (readableEnded: boolean, destroyed = false) =>
      ({
        req: { method: 'GET', readableEnded },
        destroyed,
        writeHead: () => sent.push('head'),
        end: () => sent.push('end'),
      }) as unknown as ServerResponse
    const items: PutOff[] = []
    const respondTo = (to: ServerResponse) =>
      respondDenied(to, toDenialResponse('route_not_found', 'id'), false, (item) =>
        items.push(item),
      )
    respondTo(response(false))
    t.same(sent.splice(0), ['head', 'end'])
    respondTo(response(true))
    t.same(sent.splice(0), ['head'])
    items[0]?.run()
    t.same(sent.splice(0), ['end'])
    respondTo(response(true, true))
    items[1]?.run()
    t.same(sent, ['head'], 'nor is anything written to who has left')
  },
)

t.test('HEAD gets the head alone, and the connection ends where it must', async (t) => {
  t.match(respond('GET', false), /^HTTP\/1\.1 404 [\s\S]*\r\n\r\n\{.*\}\n$/)
  t.match(respond('HEAD', false), /^HTTP\/1\.1 404 [\s\S]*content-length: \d\d[\s\S]*\r\n\r\n$/)
  t.match(respond('GET', true), /\r\nconnection: close\r\n/)
  t.notMatch(respond('GET', false), /connection: close/i)
})
