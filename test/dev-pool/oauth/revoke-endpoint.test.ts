// /oauth2/revoke: ends a sign-in by its refresh token, and nothing else.
import t from 'tap'
import { startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const WEB = { client_id: dev.pool.webClientId }

t.test('a refresh token that is revoked ends all tokens of its sign-in', async (t) => {
  const { refresh_token, access_token } = await dev.signIn()
  const refresh = (token?: string) =>
    dev.post('/oauth2/token', { ...WEB, grant_type: 'refresh_token', refresh_token: token })
  const { body: second } = await refresh(refresh_token)
  const revoked = await dev.post('/oauth2/revoke', { ...WEB, token: refresh_token })
  t.equal(revoked.status, 200)
  t.strictSame(revoked.body, {})
  t.strictSame((await refresh(refresh_token)).body, { error: 'invalid_grant' })
  t.strictSame((await refresh(second.refresh_token)).body, { error: 'invalid_grant' })
  const headers = { authorization: `Bearer ${access_token}` }
  t.equal((await fetch(`${dev.pool.origin}/oauth2/userInfo`, { headers })).status, 401)
})

t.test('other tokens, clients and shapes are refused, and end nothing', async (t) => {
  const { refresh_token, access_token } = await dev.signIn()
  const revoke = async (fields: Readonly<Record<string, string | undefined>>) =>
    (await dev.post('/oauth2/revoke', fields)).body.error
  t.equal(await revoke({ ...WEB, token: access_token }), 'unsupported_token_type')
  t.equal(await revoke(WEB), 'invalid_request')
  t.equal(await revoke({ token: refresh_token }), 'invalid_request')
  t.equal(await revoke({ client_id: 'x', token: refresh_token }), 'invalid_client')
  const server = {
    client_id: dev.pool.serverClient.id,
    client_secret: dev.pool.serverClient.secret,
  }
  t.equal(await revoke({ ...server, token: refresh_token }), 'unauthorized_client')
  t.equal(await revoke({ ...WEB, token: 'never-issued' }), undefined)
  const refresh = { ...WEB, grant_type: 'refresh_token', refresh_token }
  t.equal((await dev.post('/oauth2/token', refresh)).status, 200)
})
