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

t.test('an exchanged token goes on for its grace, counted from the first exchange', async (t) => {
  const clock = createFakeClock()
  const refreshTokens = createRefreshTokens(clock)
  const token = refreshTokens.issue('jane', signIn)
  const exchange = () => {
    const grant = refreshTokens.find(token)
    if (typeof grant === 'string') throw new Error(grant)
    return refreshTokens.exchange(token, grant, 1000)
  }
  const first = exchange()
  clock.stepWall(999)
  const second = exchange()
  t.not(second, first)
  clock.stepWall(1)
  t.equal(refreshTokens.find(token), 'revoked')
  t.match(refreshTokens.find(first), { username: 'jane', signIn })
  t.match(refreshTokens.find(second), { username: 'jane', signIn })
  refreshTokens.revoke(token)
  t.equal(refreshTokens.find(first), 'revoked', 'one family')
  t.equal(refreshTokens.find(second), 'revoked')
})

t.test('what follows a token lives no longer than it would have', async (t) => {
  const clock = createFakeClock()
  const refreshTokens = createRefreshTokens(clock)
  const token = refreshTokens.issue('jane', signIn)
  clock.stepWall(29 * DAY_MS)
  const grant = refreshTokens.find(token)
  if (typeof grant === 'string') throw new Error(grant)
  const next = refreshTokens.exchange(token, grant, 0)
  t.equal(refreshTokens.find(token), 'revoked', 'without a grace at once')
  clock.stepWall(DAY_MS - 1)
  t.type(refreshTokens.find(next), 'object')
  clock.stepWall(1)
  t.equal(refreshTokens.find(next), 'expired')
})

t.test('it tells when a sign-in began, to the millisecond', async (t) => {
  const clock = createFakeClock()
  const refreshTokens = createRefreshTokens(clock)
  const beginMs = clock.now()
  refreshTokens.issue('jane', signIn)
  clock.stepWall(5)
  t.equal(refreshTokens.issuedMs('origin'), beginMs)
  t.equal(refreshTokens.issuedMs('other'), undefined)
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
