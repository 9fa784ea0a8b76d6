// /oauth2/token: every grant from both sides, what the tokens say, and that what is not exactly right gets nothing.
import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import { CALLBACK, READER, startDevSignIn, VERIFIER } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const { pool, clock } = dev
const WEB = { client_id: pool.webClientId }
const SERVER = { client_id: pool.serverClient.id, client_secret: pool.serverClient.secret }

/** A code for the reader, with what belongs to it. */
async function codeFields(changes: Readonly<Record<string, string | undefined>> = {}) {
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl(changes))
  const code = dev.codeOf(await browser.submit(page, READER))
  const grant = { grant_type: 'authorization_code', redirect_uri: CALLBACK }
  return { ...WEB, ...grant, code, code_verifier: VERIFIER }
}

type Fields = Readonly<Record<string, string | undefined>>

async function errorOf(fields: Fields, headers = {}) {
  const { status, body, headers: given } = await dev.post('/oauth2/token', fields, headers)
  if (status === 200) return undefined
  t.equal(status, 400)
  t.equal(given.get('cache-control'), 'no-store')
  t.strictSame(Object.keys(body), ['error'])
  return body.error
}

function basic(id: string, secret: string) {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

t.test('a code gives tokens that fit together', async (t) => {
  const fields = await codeFields({ nonce: 'n', scope: 'openid email orders/read orders/write' })
  const { status, body, headers } = await dev.post('/oauth2/token', fields)
  t.equal(status, 200)
  t.equal(headers.get('access-control-allow-origin'), '*')
  t.strictSame(Object.keys(body), [
    'id_token',
    'access_token',
    'refresh_token',
    'expires_in',
    'token_type',
  ])
  t.match(body, { expires_in: 3600, token_type: 'Bearer' })
  const [access, id] = [decodeJwt(body.access_token ?? ''), decodeJwt(body.id_token ?? '')]
  t.match(access, {
    client_id: pool.webClientId,
    username: 'reader',
    version: 2,
    // The reader may not write, whoever asks.
    scope: 'openid email orders/read',
    acr: 'urn:cognito:loa:1',
    amr: ['pwd'],
    auth_time: clock.now() / 1000,
  })
  t.notHas(access, 'aud')
  const half = createHash('sha256')
    .update(body.access_token ?? '')
    .digest()
    .subarray(0, 16)
  t.match(id, {
    aud: pool.webClientId,
    nonce: 'n',
    at_hash: half.toString('base64url'),
    origin_jti: access.origin_jti,
    acr: 'urn:cognito:loa:1',
    email: 'reader@example.com',
  })
  t.notHas(id, 'given_name')
})

t.test('without openid there is no ID token', async (t) => {
  const tokens = await dev.signIn(READER, { scope: 'email orders/read' })
  t.notHas(tokens, 'id_token')
  t.equal(decodeJwt(tokens.access_token ?? '').scope, 'email orders/read')
})

t.test('a resource is whom the access token is for, refreshed too', async (t) => {
  const tokens = await dev.signIn(READER, { resource: 'https://api.example' })
  t.equal(decodeJwt(tokens.access_token ?? '').aud, 'https://api.example')
  const refresh = { ...WEB, grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  const { body } = await dev.post('/oauth2/token', refresh)
  t.equal(decodeJwt(body.access_token ?? '').aud, 'https://api.example')
  t.equal(decodeJwt(body.id_token ?? '').aud, pool.webClientId)
})

t.test('a code is good once, and a second use ends what the first one got', async (t) => {
  const fields = await codeFields()
  const { body } = await dev.post('/oauth2/token', fields)
  t.equal(await errorOf(fields), 'invalid_grant')
  const refresh = { ...WEB, grant_type: 'refresh_token', refresh_token: body.refresh_token }
  t.equal(await errorOf(refresh), 'invalid_grant')
})

t.test('a code is bound to its time, client, callback and proof', async (t) => {
  const wrong: [string, Fields][] = [
    ['another client', { ...SERVER }],
    ['another callback', { redirect_uri: 'http://localhost:1/other' }],
    ['the same callback, written otherwise', { redirect_uri: 'http://LOCALHOST:1/callback' }],
    ['no proof', { code_verifier: undefined }],
    ['another proof', { code_verifier: 'w'.repeat(43) }],
    ['another code', { code: 'x' }],
  ]
  for (const [about, changes] of wrong) {
    t.equal(await errorOf({ ...(await codeFields()), ...changes }), 'invalid_grant', about)
  }
  const [early, late] = [await codeFields(), await codeFields()]
  clock.stepWall(299_999)
  t.equal(await errorOf(early), undefined)
  clock.stepWall(1)
  t.equal(await errorOf(late), 'invalid_grant')
})

t.test('a proof that was not announced is refused, and none is needed then', async (t) => {
  const plain = { code_challenge: undefined, code_challenge_method: undefined }
  t.equal(await errorOf(await codeFields(plain)), 'invalid_grant')
  t.equal(await errorOf({ ...(await codeFields(plain)), code_verifier: undefined }), undefined)
})

t.test(
  'who is disabled, deleted or signed out gets nothing for what was given before',
  async (t) => {
    const user = { username: 'ada', password: 'Good-Pass-1' }
    for (const operation of ['AdminDisableUser', 'AdminDeleteUser', 'AdminUserGlobalSignOut']) {
      await dev.admin('AdminCreateUser', { Username: 'ada', MessageAction: 'SUPPRESS' })
      const secret = { Username: 'ada', Password: user.password, Permanent: true }
      await dev.admin('AdminSetUserPassword', secret)
      const { refresh_token } = await dev.signIn(user)
      const browser = dev.browse()
      const back = await browser.submit(await browser.open(dev.authorizeUrl()), user)
      t.ok(dev.codeOf(back))
      await dev.admin(operation, { Username: 'ada' })
      clock.stepWall(1)
      if (operation !== 'AdminDeleteUser') {
        t.match(await dev.exchange(back), { error: 'invalid_grant' }, operation)
      }
      const refresh = { ...WEB, grant_type: 'refresh_token', refresh_token }
      t.equal(await errorOf(refresh), 'invalid_grant', operation)
      // Signing out everywhere leaves the managed login's own cookie alone, as with Cognito.
      const again = dev.codeOf(await browser.open(dev.authorizeUrl()))
      t.equal(again !== undefined, operation === 'AdminUserGlobalSignOut', operation)
      if (operation === 'AdminDisableUser') await dev.admin('AdminDeleteUser', { Username: 'ada' })
      if (operation !== 'AdminDeleteUser') continue
      await dev.admin('AdminCreateUser', { Username: 'ada', MessageAction: 'SUPPRESS' })
      t.match(await dev.exchange(back), { error: 'invalid_grant' }, 'nor does another of that name')
      t.equal(await errorOf(refresh), 'invalid_grant', 'nor does another of that name')
      t.notOk(dev.codeOf(await browser.open(dev.authorizeUrl())))
      await dev.admin('AdminDeleteUser', { Username: 'ada' })
    }
  },
)

t.test('what is missing or said twice is an invalid request', async (t) => {
  const fields = await codeFields()
  for (const name of ['grant_type', 'code', 'redirect_uri', 'client_id']) {
    t.equal(await errorOf({ ...fields, [name]: undefined }), 'invalid_request', name)
  }
  t.equal(await errorOf({ ...WEB, grant_type: 'refresh_token' }), 'invalid_request')
  t.equal(await errorOf(fields, { 'content-type': 'application/json' }), 'invalid_request')
  const twice = `${new URLSearchParams(fields as Record<string, string>)}&code=x`
  const answer = await fetch(`${pool.origin}/oauth2/token`, {
    method: 'POST',
    body: twice,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.strictSame(await answer.json(), { error: 'invalid_request' })
  t.equal(await errorOf({ ...fields, grant_type: 'password' }), 'unsupported_grant_type')
  t.equal(await errorOf(fields), undefined, 'none of these has used the code up')
})

t.test('a client shows its secret in one of two ways', async (t) => {
  const { id, secret } = pool.serverClient
  const grant = { grant_type: 'client_credentials' }
  t.equal(await errorOf({ ...grant, ...SERVER }), undefined)
  t.equal(await errorOf(grant, basic(id, secret)), undefined)
  t.equal(await errorOf({ ...grant, client_id: id }, basic(id, secret)), undefined)
  t.equal(await errorOf({ ...grant, ...SERVER }, basic(id, secret)), 'invalid_request')
  for (const [name, key] of [
    [id, 'x'],
    [id, ''],
    ['x', secret],
    [id, `${secret}x`],
    [pool.webClientId, secret],
  ]) {
    t.equal(await errorOf(grant, basic(name ?? '', key ?? '')), 'invalid_client', `${name} ${key}`)
  }
  t.equal(await errorOf({ ...grant, client_id: id }), 'invalid_client')
  t.equal(await errorOf({ ...grant, client_id: 'x' }, basic(id, secret)), 'invalid_client')
  t.equal(await errorOf({ ...grant, ...WEB, client_secret: 'x' }), 'invalid_client')
})

t.test('a client acts for itself with scopes of resource servers alone', async (t) => {
  const ask = (scope?: string) =>
    dev.post('/oauth2/token', { ...SERVER, grant_type: 'client_credentials', scope })
  const { body } = await ask('orders/read')
  t.strictSame(Object.keys(body), ['access_token', 'expires_in', 'token_type'])
  const { jti, ...claims } = decodeJwt(body.access_token ?? '')
  t.type(jti, 'string')
  const now = Math.floor(clock.now() / 1000)
  t.strictSame(claims, {
    sub: pool.serverClient.id,
    token_use: 'access',
    scope: 'orders/read',
    iss: pool.issuer,
    version: 2,
    client_id: pool.serverClient.id,
    auth_time: now,
    exp: now + 3600,
    iat: now,
  })
  t.equal(decodeJwt((await ask()).body.access_token ?? '').scope, 'orders/read orders/write')
  t.strictSame((await ask('openid')).body, { error: 'invalid_scope' })
  t.strictSame((await ask('orders/delete')).body, { error: 'invalid_scope' })
  t.equal(await errorOf({ ...WEB, grant_type: 'client_credentials' }), 'unauthorized_client')
  const api = { client_id: pool.clientId, grant_type: 'authorization_code' }
  t.equal(await errorOf(api), 'unauthorized_client')
})

t.test('a refresh token is exchanged for another, and has 30 s of grace', async (t) => {
  const first = await dev.signIn(READER, { nonce: 'n' })
  const refresh = (refresh_token?: string) =>
    dev.post('/oauth2/token', { ...WEB, grant_type: 'refresh_token', refresh_token })
  clock.stepWall(60_000)
  const { body: second } = await refresh(first.refresh_token)
  t.not(second.refresh_token, first.refresh_token)
  const [before, after] = [decodeJwt(first.id_token ?? ''), decodeJwt(second.id_token ?? '')]
  for (const claim of ['auth_time', 'origin_jti', 'acr', 'amr', 'sub']) {
    t.same(after[claim], before[claim], claim)
  }
  t.notHas(after, 'nonce')
  t.equal(after.iat, (before.iat ?? 0) + 60)
  clock.stepWall(29_999)
  t.equal((await refresh(first.refresh_token)).status, 200)
  clock.stepWall(1)
  t.strictSame((await refresh(first.refresh_token)).body, { error: 'invalid_grant' })
  t.equal((await refresh(second.refresh_token)).status, 200)
})

t.test("a refresh token is its client's alone", async (t) => {
  const { refresh_token } = await dev.signIn()
  const fields = { grant_type: 'refresh_token', refresh_token }
  t.equal(await errorOf({ ...fields, ...SERVER }), 'invalid_grant')
  t.equal(await errorOf({ ...fields, client_id: pool.clientId }), 'invalid_grant')
  t.equal(await errorOf({ ...fields, ...WEB, refresh_token: 'x' }), 'invalid_grant')
  t.equal(await errorOf({ ...fields, ...WEB }), undefined)
})

t.test('a client without rotation goes on with the token it has', async (t) => {
  const code = await codeFields({ client_id: SERVER.client_id })
  const { body } = await dev.post('/oauth2/token', { ...code, ...SERVER })
  const fields = { ...SERVER, grant_type: 'refresh_token', refresh_token: body.refresh_token }
  for (const _ of [1, 2]) t.notHas((await dev.post('/oauth2/token', fields)).body, 'refresh_token')
})

t.test("a browser's page of any origin may ask", async (t) => {
  const answer = await fetch(`${pool.origin}/oauth2/token`, { method: 'OPTIONS' })
  t.equal(answer.status, 204)
  t.equal(answer.headers.get('access-control-allow-origin'), '*')
  t.match(answer.headers.get('access-control-allow-headers'), 'authorization')
})

t.test('tokens live as long as the pool was told', async (t) => {
  const other = await startDevSignIn({ tokenSeconds: 5 })
  const { access_token = '', id_token = '', expires_in } = await other.signIn()
  t.equal(Number(expires_in), 5)
  for (const token of [access_token, id_token]) {
    const { exp = 0, iat } = decodeJwt(token)
    t.equal(exp - 5, iat)
  }
})
