// Denials in the words of gRPC.
import t from 'tap'
import { DENY_REASONS, type DenyReason } from '../../src/policy/decision.ts'
import { toGrpcDenial } from '../../src/proxy/grpc-answer.ts'

t.test('every reason has a status, and a message that needs no encoding', async (t) => {
  for (const reason of DENY_REASONS) {
    const { status, headers, body } = toGrpcDenial(reason, 'id-1')
    t.strictSame([status, body], [200, ''])
    t.match(headers, { 'content-type': 'application/grpc', 'x-request-id': 'id-1' })
    t.match(headers['grpc-status'], /^(3|4|7|8|12|13|14|16)$/, reason)
    t.match(headers['grpc-message'], /^[ -$&-~]+$/)
  }
})

t.test('the status says of what kind the denial is', async (t) => {
  const cases: [DenyReason, string][] = [
    ['request_malformed', '13'],
    ['credential_missing', '16'],
    ['token_expired', '16'],
    ['group_missing', '7'],
    ['route_not_found', '12'],
    ['method_not_allowed', '12'],
    ['request_timeout', '4'],
    ['body_too_large', '8'],
    ['headers_too_large', '8'],
    ['internal_error', '13'],
    ['upstream_unreachable', '14'],
    ['overloaded', '14'],
    ['upstream_timeout', '4'],
  ]
  for (const [reason, code] of cases)
    t.equal(toGrpcDenial(reason, 'id').headers['grpc-status'], code, reason)
})
