// How long ago somebody signed in, from both sides of the bound; whoever does not say it is too late (T-38).
import t from 'tap'
import { checkAuthAge } from '../../src/policy/auth-age.ts'

const NOW_MS = 1_700_000_000_000

function check(authTime: unknown, maxAgeMs = 60_000) {
  return checkAuthAge({ claims: { auth_time: authTime } }, maxAgeMs, NOW_MS)
}

t.test('a sign-in is fresh up to the very second', async (t) => {
  const now = NOW_MS / 1_000
  t.equal(check(now), undefined)
  t.equal(check(now - 60), undefined)
  t.match(check(now - 61), {
    reason: 'insufficient_user_authentication',
    detail: 'signed in at most 60 s ago, seen 61 s ago',
  })
  t.equal(check(now - 61, 61_000), undefined)
})

t.test('without a time that can be read nobody is fresh', async (t) => {
  for (const authTime of [undefined, null, String(NOW_MS / 1_000), true, Number.NaN, [], {}]) {
    t.match(check(authTime), {
      reason: 'insufficient_user_authentication',
      detail: /no auth_time$/,
    })
  }
})
