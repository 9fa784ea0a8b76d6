// What a refresh token is good for: whose it is, at which client, and after what it is worth nothing.
import t from 'tap'
import { isApiError } from '../../src/dev-pool/api-error.ts'
import { refreshSignIn } from '../../src/dev-pool/refresh-sign-in.ts'
import { createRefreshTokens } from '../../src/dev-pool/refresh-tokens.ts'
import type { DevUser } from '../../src/dev-pool/user.ts'
import { parseUsersFile } from '../../src/dev-pool/users-file.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const clock = createFakeClock()
const { groups, users } = parseUsersFile('users: {jane: {password: x}}', 'u.yaml')
const jane = users.get('jane') as DevUser
const signIn = { authTime: 1, originJti: 'origin', eventId: 'event', clientId: 'client' }

function refresh(client: { id: string; rotationGraceMs?: number }, user: DevUser | undefined) {
  const refreshTokens = createRefreshTokens(clock)
  const token = refreshTokens.issue('jane', signIn)
  const directory = () => ({ groups, users: new Map(user && [['jane', user]]) })
  return {
    refreshTokens,
    result: refreshSignIn({ refreshTokens, store: { directory } }, client, token),
  }
}

t.test(
  'the user and the sign-in, and another token where the client exchanges its own',
  async (t) => {
    const { result } = refresh({ id: 'client' }, jane)
    t.strictSame(result, { user: jane, signIn, refreshToken: undefined })
    const rotated = refresh({ id: 'client', rotationGraceMs: 0 }, jane)
    if (isApiError(rotated.result)) throw new Error(rotated.result.message)
    t.match(rotated.refreshTokens.find(rotated.result.refreshToken ?? ''), { signIn })
  },
)

t.test(
  'nothing for another client, or for a user who is gone, disabled or signed out',
  async (t) => {
    const now = clock.now()
    const messageOf = (id: string, user: DevUser | undefined) => {
      const { result } = refresh({ id }, user)
      return isApiError(result) ? result.message : undefined
    }
    t.equal(messageOf('other', jane), 'Invalid Refresh Token')
    t.equal(messageOf('client', undefined), 'Invalid Refresh Token')
    t.equal(messageOf('client', { ...jane, enabled: false }), 'User is disabled.')
    const revoked = 'Refresh Token has been revoked'
    t.equal(messageOf('client', { ...jane, signedOutMs: now }), revoked)
    t.equal(messageOf('client', { ...jane, signedOutMs: now - 1 }), undefined)
    t.equal(messageOf('client', { ...jane, createdMs: now + 1 }), revoked)
    t.equal(messageOf('client', { ...jane, createdMs: now }), undefined)
  },
)
