// The user pool API, asked by AWS's own SDK: sign-in, refresh, the user's own data, revocation, and every refusal.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as aws from '@aws-sdk/client-cognito-identity-provider'
import {
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  DeleteUserPoolCommand,
  GetUserCommand,
  InitiateAuthCommand,
  type InitiateAuthCommandInput,
  RevokeTokenCommand,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { OPERATIONS } from '../../src/dev-pool/cognito-api.ts'
import { type DevPoolOptions, startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const USERS = `
users:
  jane: {password: secret, groups: [a], attributes: {email: j@example.com, custom:n: '1'}}
  off: {password: secret, enabled: false}
`

async function startWith(t: Test, options: DevPoolOptions) {
  const pool = await startDevPool(options)
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const endpoint = pool.origin
  const sdk = new CognitoIdentityProviderClient({ endpoint, region: 'eu-west-1', credentials })
  t.teardown(async () => {
    sdk.destroy()
    await pool.stop()
  })
  return { pool, sdk }
}

async function startShared() {
  const clock = createFakeClock()
  const usersFile = join(t.testdir({ 'u.yaml': USERS }), 'u.yaml')
  const { pool, sdk } = await startWith(t, { clock, port: 0, usersFile })
  const initiate = (input: Partial<InitiateAuthCommandInput>) =>
    sdk.send(
      new InitiateAuthCommand({
        ClientId: pool.clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        ...input,
      }),
    )
  const signIn = async (username = 'jane', password = 'secret') => {
    const params = { USERNAME: username, PASSWORD: password }
    return (await initiate({ AuthParameters: params })).AuthenticationResult ?? {}
  }
  const refresh = async (
    token = '',
    flow: 'REFRESH_TOKEN_AUTH' | 'REFRESH_TOKEN' = 'REFRESH_TOKEN_AUTH',
  ) => {
    const input = { AuthFlow: flow, AuthParameters: { REFRESH_TOKEN: token } }
    return (await initiate(input)).AuthenticationResult ?? {}
  }
  const changeUsers = async (text: string) => {
    writeFileSync(usersFile, text)
    await clock.advance(500)
  }
  return { clock, pool, sdk, initiate, signIn, refresh, changeUsers }
}

const shared = await startShared()

/** The one pool, with its users as they were. */
async function start(t: Test) {
  t.teardown(() => shared.changeUsers(USERS))
  return shared
}

const refused = (name: string, message: string) => ({ name, message })

t.test('the right password brings three tokens', async (t) => {
  const { signIn, pool } = await start(t)
  const result = await signIn()
  t.match(result, { ExpiresIn: 3600, TokenType: 'Bearer', RefreshToken: /^[\w-]{100,}$/ })
  const access = decodeJwt(result.AccessToken ?? '')
  const id = decodeJwt(result.IdToken ?? '')
  t.match(access, { username: 'jane', token_use: 'access', client_id: pool.clientId })
  t.match(id, { 'cognito:username': 'jane', token_use: 'id', aud: pool.clientId })
  t.equal(access.origin_jti, id.origin_jti)
  t.equal(access.event_id, id.event_id)
  t.not(access.jti, id.jti)
})

t.test('a wrong password and an unknown name get the same answer', async (t) => {
  const { signIn } = await start(t)
  const answer = refused('NotAuthorizedException', 'Incorrect username or password.')
  await t.rejects(signIn('jane', 'secret '), answer)
  await t.rejects(signIn('jane', ''), answer)
  await t.rejects(signIn('nobody'), answer)
  await t.rejects(signIn('__proto__'), answer)
})

t.test('a disabled user is told so only with the right password', async (t) => {
  const { signIn } = await start(t)
  await t.rejects(signIn('off'), refused('NotAuthorizedException', 'User is disabled.'))
  await t.rejects(
    signIn('off', 'x'),
    refused('NotAuthorizedException', 'Incorrect username or password.'),
  )
})

t.test('a wrong client, flow or parameter is refused as Cognito does', async (t) => {
  const { initiate } = await start(t)
  await t.rejects(
    initiate({ ClientId: 'other' }),
    refused('ResourceNotFoundException', 'User pool client other does not exist.'),
  )
  await t.rejects(
    initiate({ AuthFlow: 'USER_SRP_AUTH' }),
    refused('InvalidParameterException', 'USER_SRP_AUTH flow not enabled for this client'),
  )
  await t.rejects(
    initiate({ AuthParameters: { PASSWORD: 'x' } }),
    refused('InvalidParameterException', 'Missing required parameter USERNAME'),
  )
  await t.rejects(
    initiate({ AuthParameters: { USERNAME: 'x' } }),
    refused('InvalidParameterException', 'Missing required parameter PASSWORD'),
  )
  await t.rejects(
    initiate({ AuthFlow: 'REFRESH_TOKEN_AUTH' }),
    refused('InvalidParameterException', 'Missing required parameter REFRESH_TOKEN'),
  )
})

t.test('a refresh keeps the sign-in and brings no other refresh token', async (t) => {
  const { clock, signIn, refresh } = await start(t)
  const before = await signIn()
  clock.stepWall(1_800_000)
  for (const flow of ['REFRESH_TOKEN_AUTH', 'REFRESH_TOKEN'] as const) {
    const after = await refresh(before.RefreshToken, flow)
    t.notHas(after, 'RefreshToken')
    for (const use of ['AccessToken', 'IdToken'] as const) {
      const [old, fresh] = [decodeJwt(before[use] ?? ''), decodeJwt(after[use] ?? '')]
      t.equal(fresh.auth_time, old.auth_time)
      t.equal(fresh.origin_jti, old.origin_jti)
      t.equal(fresh.iat, (old.iat ?? 0) + 1800)
      t.equal(fresh.exp, (old.exp ?? 0) + 1800)
      t.not(fresh.jti, old.jti)
    }
  }
})

t.test('a refresh sees what has changed in the users file', async (t) => {
  const { signIn, refresh, changeUsers } = await start(t)
  const { RefreshToken: token } = await signIn()
  await changeUsers('users: {jane: {password: other, groups: [b]}}')
  t.same(decodeJwt((await refresh(token)).AccessToken ?? '')['cognito:groups'], ['b'])
  await t.rejects(signIn(), { name: 'NotAuthorizedException' })
  await t.resolves(signIn('jane', 'other'))
})

t.test('who was disabled or deleted cannot refresh', async (t) => {
  const { signIn, refresh, changeUsers } = await start(t)
  const { RefreshToken: token } = await signIn()
  await changeUsers('users: {jane: {password: secret, enabled: false}}')
  await t.rejects(refresh(token), refused('NotAuthorizedException', 'User is disabled.'))
  await changeUsers('users: {joan: {password: secret}}')
  await t.rejects(refresh(token), refused('NotAuthorizedException', 'Invalid Refresh Token'))
})

t.test('a refresh token that is none, or too old, is refused', async (t) => {
  const { clock, signIn, refresh } = await start(t)
  const { RefreshToken: token } = await signIn()
  await t.rejects(refresh('x'), refused('NotAuthorizedException', 'Invalid Refresh Token'))
  clock.stepWall(30 * 86_400_000)
  await t.rejects(refresh(token), refused('NotAuthorizedException', 'Refresh Token has expired'))
})

t.test('GetUser gives the attributes, as text', async (t) => {
  const { sdk, signIn } = await start(t)
  const { AccessToken } = await signIn()
  const user = await sdk.send(new GetUserCommand({ AccessToken }))
  t.equal(user.Username, 'jane')
  t.strictSame(
    Object.fromEntries((user.UserAttributes ?? []).map(({ Name, Value }) => [Name, Value])),
    {
      sub: decodeJwt(AccessToken ?? '').sub,
      email: 'j@example.com',
      email_verified: 'false',
      'custom:n': '1',
    },
  )
})

t.test('GetUser wants an access token in force, of its own, with the right scope', async (t) => {
  const { clock, pool, sdk, signIn, changeUsers } = await start(t)
  const get = (AccessToken = '') => sdk.send(new GetUserCommand({ AccessToken }))
  const invalid = refused('NotAuthorizedException', 'Invalid Access Token')
  const { AccessToken: token = '', IdToken: idToken } = await signIn()
  await t.rejects(get(idToken), invalid)
  await t.rejects(get(`${token.slice(0, -8)}AAAAAAAA`), invalid)
  await t.rejects(get('x'), invalid)
  await t.rejects(
    get(await pool.mint('jane', { scope: 'orders/read' })),
    refused('NotAuthorizedException', 'Access Token does not have required scopes'),
  )
  clock.stepWall(3_599_000)
  await t.resolves(get(token))
  clock.stepWall(1_000)
  await t.rejects(get(token), refused('NotAuthorizedException', 'Access Token has expired'))
  const later = await pool.mint('jane')
  await changeUsers('users: {jane: {password: x, enabled: false}}')
  await t.rejects(get(later), refused('NotAuthorizedException', 'User is disabled.'))
  await changeUsers('users: {}')
  await t.rejects(get(later), refused('UserNotFoundException', 'User does not exist.'))
})

t.test('a revoked refresh token ends its sign-in here, and no other', async (t) => {
  const { pool, sdk, signIn, refresh } = await start(t)
  const [one, other] = [await signIn(), await signIn()]
  await sdk.send(new RevokeTokenCommand({ ClientId: pool.clientId, Token: one.RefreshToken }))
  await t.rejects(
    refresh(one.RefreshToken),
    refused('NotAuthorizedException', 'Refresh Token has been revoked'),
  )
  await t.rejects(
    sdk.send(new GetUserCommand({ AccessToken: one.AccessToken })),
    refused('NotAuthorizedException', 'Access Token has been revoked'),
  )
  await t.resolves(refresh(other.RefreshToken))
})

t.test('only refresh tokens of this client are revoked', async (t) => {
  const { pool, sdk, signIn } = await start(t)
  const { AccessToken, RefreshToken } = await signIn()
  const revoke = (Token = '', ClientId = pool.clientId) =>
    sdk.send(new RevokeTokenCommand({ ClientId, Token }))
  await t.rejects(revoke(AccessToken), { name: 'UnsupportedTokenTypeException' })
  await t.rejects(revoke(RefreshToken, 'other'), { name: 'ResourceNotFoundException' })
  await t.resolves(revoke('no such token'))
})

t.test('an operation that is not played is refused by name', async (t) => {
  const { sdk } = await start(t)
  await t.rejects(
    sdk.send(new DeleteUserPoolCommand({ UserPoolId: 'local_devpool' })),
    refused(
      'UnknownOperationException',
      'The dev pool has no operation DeleteUserPool: docs/dev-pool.md lists those it has',
    ),
  )
})

t.test('every operation is one that AWS has, and is told in the documentation', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/dev-pool.md'), 'utf8')
  for (const name of OPERATIONS.keys()) {
    t.ok(`${name}Command` in aws, name)
    t.match(page, `\`${name}\``, name)
  }
})

t.test('what people and operators do is there after a restart', async (t) => {
  const dataFile = join(t.testdir(), 'data.json')
  const clock = createFakeClock()
  const { pool, sdk } = await startWith(t, { clock, port: 0, dataFile })
  const { clientId: ClientId, userPoolId: UserPoolId } = pool
  await sdk.send(new SignUpCommand({ ClientId, Username: 'ann', Password: 'Good-Pass-1' }))
  const ConfirmationCode = pool.code('ann')
  await sdk.send(new ConfirmSignUpCommand({ ClientId, Username: 'ann', ConfirmationCode }))
  await sdk.send(new AdminDeleteUserCommand({ UserPoolId, Username: 'guest' }))
  await sdk.send(new AdminDisableUserCommand({ UserPoolId, Username: 'reader' }))
  await pool.stop()
  t.notMatch(readFileSync(dataFile, 'utf8'), /Good-Pass-1/)

  const next = await startWith(t, { clock, port: 0, dataFile })
  t.same(
    next.pool.users().map(({ username, enabled }) => [username, enabled]),
    [
      ['admin', true],
      ['reader', false],
      ['ann', true],
    ],
  )
  const AuthParameters = { USERNAME: 'ann', PASSWORD: 'Good-Pass-1' }
  const AuthFlow = 'USER_PASSWORD_AUTH'
  await t.resolves(next.sdk.send(new InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters })))
})
