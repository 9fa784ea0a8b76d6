// Authorization codes: each once, and for five minutes.
import t from 'tap'
import { createAuthorizationCodes } from '../../../src/dev-pool/oauth/authorization-codes.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const signIn = { authTime: 1, originJti: 'origin', eventId: 'event', clientId: 'client' }
const grant = { username: 'jane', signIn, redirectUri: 'http://localhost/' }

t.test('a code is good once; the second use tells whose tokens are in doubt', async (t) => {
  const clock = createFakeClock()
  const codes = createAuthorizationCodes(clock)
  const [code, other] = [codes.issue(grant), codes.issue(grant)]
  t.strictSame(codes.redeem(code), { kind: 'grant', grant, issuedMs: clock.now() })
  t.strictSame(codes.redeem(code), { kind: 'reused', originJti: 'origin' })
  t.equal(codes.redeem(other).kind, 'grant')
  t.strictSame(codes.redeem('x'), { kind: 'unknown' })
})

t.test('it lives for five minutes', async (t) => {
  const clock = createFakeClock()
  const codes = createAuthorizationCodes(clock)
  const [code, late] = [codes.issue(grant), codes.issue(grant)]
  clock.stepWall(299_999)
  t.equal(codes.redeem(code).kind, 'grant')
  clock.stepWall(1)
  t.equal(codes.redeem(late).kind, 'unknown')
})

t.test('the newest ten thousand are kept', async (t) => {
  const codes = createAuthorizationCodes(createFakeClock())
  const all = Array.from({ length: 10_001 }, () => codes.issue(grant))
  t.equal(codes.redeem(all[0] ?? '').kind, 'unknown')
  t.equal(codes.redeem(all[1] ?? '').kind, 'grant')
})
