// Refresh tokens: opaque, bounded in time, revocable.
import t from 'tap'
import { createRefreshTokens } from '../../src/dev-pool/refresh-tokens.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const DAY_MS = 86_400_000
const signIn = { authTime: 1, originJti: 'origin', eventId: 'event', clientId: 'client' }

t.test('a token stands for the sign-in it was issued for', async (t) => {
  const refreshTokens = createRefreshTokens(createFakeClock())
  const token = refreshTokens.issue('jane', signIn)
  t.match(refreshTokens.find(token), { username: 'jane', signIn })
  t.notMatch(token, /^eyJ|jane|origin/)
  t.not(refreshTokens.issue('jane', signIn), token)
})

t.test('it is good for 30 days', async (t) => {
  const clock = createFakeClock()
  const refreshTokens = createRefreshTokens(clock)
  const token = refreshTokens.issue('jane', signIn)
  clock.stepWall(30 * DAY_MS - 1)
  t.type(refreshTokens.find(token), 'object')
  clock.stepWall(1)
  t.equal(refreshTokens.find(token), 'expired')
})

t.test('revoking ends its whole sign-in and no other', async (t) => {
  const refreshTokens = createRefreshTokens(createFakeClock())
  const token = refreshTokens.issue('jane', signIn)
  const other = refreshTokens.issue('jane', { ...signIn, originJti: 'other' })
  refreshTokens.revoke(token)
  refreshTokens.revoke('no such token')
  t.equal(refreshTokens.find(token), 'revoked')
  t.ok(refreshTokens.isRevoked('origin'))
  t.type(refreshTokens.find(other), 'object')
  t.notOk(refreshTokens.isRevoked('other'))
})

t.test('what was never issued is unknown', async (t) => {
  t.equal(createRefreshTokens(createFakeClock()).find('x'), 'unknown')
})

t.test('the newest ten thousand are kept', async (t) => {
  const refreshTokens = createRefreshTokens(createFakeClock())
  const all = Array.from({ length: 10_001 }, () => refreshTokens.issue('jane', signIn))
  t.equal(refreshTokens.find(all[0] ?? ''), 'unknown')
  t.type(refreshTokens.find(all[1] ?? ''), 'object')
})
