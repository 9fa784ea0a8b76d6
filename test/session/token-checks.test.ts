// What tokens have to show beyond being genuine: whose they are, that they belong together, and how the user signed in.
import { createHash } from 'node:crypto'
import t from 'tap'
import { checkAccessHash, checkOwnClient, checkStrength } from '../../src/session/token-checks.ts'

t.test(
  'the app client is the session’s own: client_id of access tokens, aud of ID tokens',
  async (t) => {
    t.equal(checkOwnClient({ client_id: 'web' }, 'access', 'web'), undefined)
    t.equal(checkOwnClient({ aud: 'web' }, 'id', 'web'), undefined)
    t.match(checkOwnClient({ client_id: 'mobile', aud: 'web' }, 'access', 'web'), '"mobile"')
    t.match(checkOwnClient({ aud: 'mobile', client_id: 'web' }, 'id', 'web'), '"mobile"')
    t.ok(checkOwnClient({ aud: ['web'] }, 'id', 'web'))
    t.ok(checkOwnClient({}, 'id', 'web'))
  },
)

t.test('at_hash is the left half of the access token’s SHA-256, where there is one', async (t) => {
  const token = 'an.access.token'
  const hash = createHash('sha256').update(token).digest()
  const good = hash.subarray(0, 16).toString('base64url')
  t.equal(checkAccessHash({}, token), undefined)
  t.equal(checkAccessHash({ at_hash: good }, token), undefined)
  // The example of OpenID Connect Core, appendix A.3.
  t.equal(
    checkAccessHash(
      { at_hash: '77QmUPtjPfzWtF2AnpK9RQ' },
      'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y',
    ),
    undefined,
  )
  for (const bad of ['', hash.toString('base64url'), good.slice(0, -2), 7, null, [good]]) {
    t.ok(checkAccessHash({ at_hash: bad }, token), JSON.stringify(bad))
  }
  t.ok(checkAccessHash({ at_hash: good }, 'another.access.token'))
})

const STARTED = 1_795_435_200_000
const attempt = { state: '', nonce: '', verifier: '', origin: '', returnTo: '', startedMs: STARTED }

t.test('acr has to be one of those that were asked for', async (t) => {
  const asked = { ...attempt, acrValues: ['urn:cognito:loa:4', 'urn:cognito:loa:3'] }
  t.equal(checkStrength({ acr: 'urn:cognito:loa:3' }, asked), undefined)
  t.match(checkStrength({ acr: 'urn:cognito:loa:1' }, asked), /"urn:cognito:loa:1", none of/)
  t.ok(checkStrength({}, asked), 'a Lite pool ignores the question')
  t.ok(checkStrength({ acr: ['urn:cognito:loa:3'] }, asked))
  t.equal(checkStrength({ acr: 'whatever' }, attempt), undefined, 'nothing was asked')
})

t.test(
  'auth_time has to lie within max_age of the beginning, give or take five seconds',
  async (t) => {
    const asked = { ...attempt, maxAgeSeconds: 60 }
    const second = STARTED / 1000
    t.equal(checkStrength({ auth_time: second - 65 }, asked), undefined)
    t.ok(checkStrength({ auth_time: second - 66 }, asked))
    t.equal(checkStrength({ auth_time: second + 300 }, asked), undefined, 'the user took his time')
    t.ok(checkStrength({}, asked))
    t.ok(checkStrength({ auth_time: String(second) }, asked))
    const anew = { ...attempt, maxAgeSeconds: 0 }
    t.equal(checkStrength({ auth_time: second }, anew), undefined)
    t.ok(checkStrength({ auth_time: second - 6 }, anew), 'max_age=0 asks for the password again')
  },
)
