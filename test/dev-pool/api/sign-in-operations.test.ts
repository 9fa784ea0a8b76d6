// Challenges, refreshing and revocation by API: each answer counts once, for its user, in its time.
import { decodeJwt } from 'jose'
import t from 'tap'
import { totpAt } from '../../../src/dev-pool/totp.ts'
import { GOOD_PASSWORD, refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
users:
  jane: {password: Secret-1, attributes: {email: jane@example.com, email_verified: true}}
  joan: {password: Secret-1}
`
const { sdk, clock, UserPoolId, ClientId, signIn, refresh, pool } = await startPoolClient(t, USERS)
const start = (USERNAME: string, PASSWORD: string) =>
  sdk.initiateAuth({
    ClientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME, PASSWORD },
  })
const answer = (
  ChallengeName: 'NEW_PASSWORD_REQUIRED' | 'SOFTWARE_TOKEN_MFA',
  Session: string | undefined,
  ChallengeResponses: Record<string, string>,
) => sdk.respondToAuthChallenge({ ClientId, ChallengeName, Session, ChallengeResponses })
const INVALID = refused('NotAuthorizedException', 'Invalid session for the user.')

async function invite(Username: string) {
  await sdk.adminCreateUser({ UserPoolId, Username, TemporaryPassword: 'Temp-Pass-1' })
  return start(Username, 'Temp-Pass-1')
}

t.test('whoever was invited chooses a password, once', async (t) => {
  const { Session, ChallengeName, ChallengeParameters } = await invite('new')
  t.equal(ChallengeName, 'NEW_PASSWORD_REQUIRED')
  t.match(ChallengeParameters, { USER_ID_FOR_SRP: 'new', requiredAttributes: '[]' })
  const choose = (NEW_PASSWORD: string, others = {}) =>
    answer('NEW_PASSWORD_REQUIRED', Session, { USERNAME: 'new', NEW_PASSWORD, ...others })
  await t.rejects(choose('short'), refused('InvalidPasswordException'))
  await t.rejects(
    choose(GOOD_PASSWORD, { 'userAttributes.email_verified': 'true' }),
    refused('NotAuthorizedException'),
  )
  const done = await choose(GOOD_PASSWORD, { 'userAttributes.name': 'New' })
  t.match(decodeJwt(done.AuthenticationResult?.IdToken ?? ''), { name: 'New', amr: ['pwd'] })
  await t.rejects(choose('Other-Pass-1'), INVALID)
  await t.rejects(start('new', 'Temp-Pass-1'), refused('NotAuthorizedException'))
  await t.resolves(signIn('new', GOOD_PASSWORD))
})

t.test('a session is for its user and its challenge, for three minutes', async (t) => {
  const early = await invite('early')
  const late = await invite('late')
  const choose = (session: string | undefined, USERNAME: string) =>
    answer('NEW_PASSWORD_REQUIRED', session, { USERNAME, NEW_PASSWORD: GOOD_PASSWORD })
  await t.rejects(choose(early.Session, 'late'), INVALID)
  await t.rejects(choose('no such session', 'early'), INVALID)
  await t.rejects(
    answer('SOFTWARE_TOKEN_MFA', early.Session, {
      USERNAME: 'early',
      SOFTWARE_TOKEN_MFA_CODE: '123456',
    }),
    INVALID,
  )
  clock.stepWall(179_999)
  await t.resolves(choose(early.Session, 'early'))
  clock.stepWall(1)
  await t.rejects(
    choose(late.Session, 'late'),
    refused('NotAuthorizedException', 'Invalid session for the user, session is expired.'),
  )
})

t.test('a session ends with the password it began with, and with the user', async (t) => {
  const { Session } = await invite('again')
  const choose = (session: string | undefined) =>
    answer('NEW_PASSWORD_REQUIRED', session, { USERNAME: 'again', NEW_PASSWORD: GOOD_PASSWORD })
  await sdk.adminSetUserPassword({ UserPoolId, Username: 'again', Password: 'Temp-Pass-2' })
  await t.rejects(choose(Session), INVALID)
  const next = await start('again', 'Temp-Pass-2')
  await sdk.adminDisableUser({ UserPoolId, Username: 'again' })
  await t.rejects(choose(next.Session), refused('NotAuthorizedException', 'User is disabled.'))
  await sdk.adminDeleteUser({ UserPoolId, Username: 'again' })
  await t.rejects(choose(next.Session), INVALID)
})

t.test('a second factor is asked for where it is set up, and counts once', async (t) => {
  const { AccessToken } = await signIn('jane', 'Secret-1')
  const { SecretCode: secret = '' } = await sdk.associateSoftwareToken({ AccessToken })
  await t.rejects(
    sdk.verifySoftwareToken({ AccessToken, UserCode: '12345' }),
    refused('EnableSoftwareTokenMFAException', 'Code mismatch'),
  )
  await sdk.verifySoftwareToken({ AccessToken, UserCode: totpAt(secret, clock.now()) })
  t.ok((await start('jane', 'Secret-1')).AuthenticationResult, 'not before it is switched on')
  const SoftwareTokenMfaSettings = { Enabled: true, PreferredMfa: true }
  await sdk.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings })
  t.match(await sdk.getUser({ AccessToken }), { PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA' })

  clock.stepWall(30_000)
  const { ChallengeName, Session } = await start('jane', 'Secret-1')
  t.equal(ChallengeName, 'SOFTWARE_TOKEN_MFA')
  const show = (SOFTWARE_TOKEN_MFA_CODE: string, session = Session) =>
    answer('SOFTWARE_TOKEN_MFA', session, { USERNAME: 'jane', SOFTWARE_TOKEN_MFA_CODE })
  const mismatch = refused('CodeMismatchException', 'Invalid code received for user')
  await t.rejects(show('12345'), mismatch)
  const code = totpAt(secret, clock.now())
  const { AuthenticationResult: result } = await show(code)
  t.match(decodeJwt(result?.AccessToken ?? '').amr, ['pwd', 'otp', 'mfa'])
  const again = await start('jane', 'Secret-1')
  await t.rejects(show(code, again.Session), mismatch)
  for (let count = 1; count < 5; count += 1) await t.rejects(show('1', again.Session), mismatch)
  await t.rejects(show(totpAt(secret, clock.now() + 30_000), again.Session), INVALID)

  await sdk.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings: { Enabled: false } })
  await t.resolves(signIn('jane', 'Secret-1'))
})

t.test('a second factor cannot be switched on that is not set up', async (t) => {
  const { AccessToken } = await signIn('joan', 'Secret-1')
  const SoftwareTokenMfaSettings = { Enabled: true }
  await t.rejects(
    sdk.setUserMFAPreference({ AccessToken, SoftwareTokenMfaSettings }),
    refused('InvalidParameterException', 'User has not verified software token mfa'),
  )
})

t.test('a challenge that the pool does not know, and answers that lack something', async (t) => {
  const { Session } = await invite('lack')
  await t.rejects(
    sdk.respondToAuthChallenge({ ClientId, ChallengeName: 'SMS_MFA', Session }),
    refused('InvalidParameterException', 'SMS_MFA is not a challenge of this pool'),
  )
  await t.rejects(
    answer('NEW_PASSWORD_REQUIRED', undefined, {}),
    refused('InvalidParameterException', 'Missing required parameter Session'),
  )
  await t.rejects(
    answer('NEW_PASSWORD_REQUIRED', Session, { USERNAME: 'lack' }),
    refused('InvalidParameterException', 'Missing required parameter NEW_PASSWORD'),
  )
  await t.rejects(
    answer('SOFTWARE_TOKEN_MFA', Session, { USERNAME: 'lack' }),
    refused('InvalidParameterException', 'Missing required parameter SOFTWARE_TOKEN_MFA_CODE'),
  )
})

t.test('an operator signs somebody in with the password, by flows of its own', async (t) => {
  const AuthParameters = { USERNAME: 'joan', PASSWORD: 'Secret-1' }
  const asOperator = (
    AuthFlow: 'ADMIN_USER_PASSWORD_AUTH' | 'USER_PASSWORD_AUTH',
    id = UserPoolId,
  ) => sdk.adminInitiateAuth({ UserPoolId: id, ClientId, AuthFlow, AuthParameters })
  const { AuthenticationResult: result } = await asOperator('ADMIN_USER_PASSWORD_AUTH')
  t.ok(result?.RefreshToken)
  await t.rejects(
    asOperator('USER_PASSWORD_AUTH'),
    refused('InvalidParameterException', 'USER_PASSWORD_AUTH flow not enabled for this client'),
  )
  await t.rejects(
    asOperator('ADMIN_USER_PASSWORD_AUTH', 'local_other'),
    refused('ResourceNotFoundException', 'User pool local_other does not exist.'),
  )
})

t.test('refresh tokens are exchanged for tokens, for the client that has them', async (t) => {
  const { RefreshToken } = await signIn('joan', 'Secret-1')
  const { AuthenticationResult: result } = await sdk.getTokensFromRefreshToken({
    ClientId,
    RefreshToken,
  })
  t.match(decodeJwt(result?.AccessToken ?? ''), { username: 'joan' })
  t.notHas(result, 'RefreshToken')
  await t.rejects(
    sdk.getTokensFromRefreshToken({ ClientId: pool.webClientId, RefreshToken }),
    refused('NotAuthorizedException', 'Invalid Refresh Token'),
  )
  await t.rejects(
    sdk.revokeToken({ ClientId: pool.webClientId, Token: RefreshToken }),
    refused('NotAuthorizedException'),
  )
  await t.resolves(refresh(RefreshToken))
  await t.rejects(
    sdk.initiateAuth({
      ClientId: pool.webClientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: RefreshToken ?? '' },
    }),
    refused('InvalidParameterException', /flow not enabled for this client$/),
  )
})
