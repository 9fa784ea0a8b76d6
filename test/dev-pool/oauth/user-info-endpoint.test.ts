// /oauth2/userInfo: what it tells of whom, and for how long.
import t from 'tap'
import { READER, startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const { pool, clock } = dev

async function ask(token: string | undefined, method = 'GET') {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${pool.origin}/oauth2/userInfo`, { method, headers })
  const body = (await answer.json()) as Record<string, unknown>
  return { status: answer.status, headers: answer.headers, body }
}

t.test('it tells the attributes of the scopes, all as text', async (t) => {
  const { access_token } = await dev.signIn(READER, { scope: 'openid email' })
  const { status, body, headers } = await ask(access_token)
  t.equal(status, 200)
  t.equal(headers.get('access-control-allow-origin'), '*')
  const { sub, ...rest } = body
  t.match(sub, /^[0-9a-f-]{36}$/)
  t.strictSame(rest, { email_verified: 'true', email: 'reader@example.com', username: 'reader' })
  t.equal((await ask(access_token, 'POST')).status, 200)
  const all = await dev.signIn(READER, { scope: 'openid' })
  t.match((await ask(all.access_token)).body, { 'custom:tenant': 'acme', given_name: 'Renée' })
})

t.test('it needs openid, and an access token of this pool that has not ended', async (t) => {
  const refusal = async (token: string | undefined) => {
    const { status, headers, body } = await ask(token)
    t.match(headers.get('www-authenticate'), `error="${body.error}"`)
    return `${status} ${body.error}`
  }
  const { access_token, id_token } = await dev.signIn()
  const { access_token: without } = await dev.signIn(READER, { scope: 'email' })
  t.equal(await refusal(undefined), '400 invalid_request')
  t.equal(await refusal(without), '401 invalid_token')
  t.equal(await refusal(id_token), '401 invalid_token')
  t.equal(await refusal('x'), '401 invalid_token')
  t.equal(await refusal(`${access_token}x`), '401 invalid_token')
  const server = { client_id: pool.serverClient.id, client_secret: pool.serverClient.secret }
  const { body } = await dev.post('/oauth2/token', { ...server, grant_type: 'client_credentials' })
  t.equal(await refusal(body.access_token), '401 invalid_token', 'of nobody')
  clock.stepWall(3_599_999)
  t.equal((await ask(access_token)).status, 200)
  clock.stepWall(1)
  t.equal(await refusal(access_token), '401 invalid_token')
})
