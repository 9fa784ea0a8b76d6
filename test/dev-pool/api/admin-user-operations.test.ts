// What operators do with users by API, and what it means for those who are signed in.
import t from 'tap'
import { GOOD_PASSWORD, refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
users:
  jane: {password: Secret-1, attributes: {email: jane@example.com, email_verified: true}}
  joan: {password: Secret-1}
`
const client = await startPoolClient(t, USERS)
const { sdk, clock, UserPoolId, ClientId, messages, signIn, refresh, code } = client
const of = (Username: string) => ({ UserPoolId, Username })

t.test('a user is created with a temporary password, and invited', async (t) => {
  const UserAttributes = [
    { Name: 'email', Value: 'amy@example.com' },
    { Name: 'email_verified', Value: 'true' },
  ]
  const { User } = await sdk.adminCreateUser({ ...of('amy'), UserAttributes })
  const now = new Date(clock.now())
  t.match(User, {
    Username: 'amy',
    Enabled: true,
    UserStatus: 'FORCE_CHANGE_PASSWORD',
    UserCreateDate: now,
    UserLastModifiedDate: now,
  })
  t.match(User?.Attributes, [{ Name: 'sub' }, ...UserAttributes])
  const [, password = ''] =
    /^amy: Your temporary password is (.+)$/.exec(messages.at(-1) ?? '') ?? []
  await t.rejects(signIn('amy@example.com', password), /asks for NEW_PASSWORD_REQUIRED/)

  const count = messages.length
  await sdk.adminCreateUser({ ...of('amy'), MessageAction: 'RESEND' })
  t.equal(messages.length, count + 1)
  await t.rejects(signIn('amy', password), refused('NotAuthorizedException'))
  await sdk.adminCreateUser({ ...of('silent'), MessageAction: 'SUPPRESS' })
  t.equal(messages.length, count + 1)
})

t.test('a user is not created where there is one, or with what is not good', async (t) => {
  const create = (Username: string, changes = {}) =>
    sdk.adminCreateUser({ ...of(Username), ...changes })
  await t.rejects(create('jane'), refused('UsernameExistsException'))
  await t.rejects(create('jane@example.com'), refused('UsernameExistsException'))
  const UserAttributes = [
    { Name: 'email', Value: 'jane@example.com' },
    { Name: 'email_verified', Value: 'true' },
  ]
  await t.rejects(create('ann', { UserAttributes }), refused('AliasExistsException'))
  await t.rejects(
    create('ann', { TemporaryPassword: 'short' }),
    refused('InvalidPasswordException'),
  )
  await t.rejects(
    create('ann', { UserAttributes: [{ Name: 'email_verified', Value: 'yes' }] }),
    refused('InvalidParameterException', /email_verified: expected true or false$/),
  )
  await t.rejects(create('ann', { MessageAction: 'RESEND' }), refused('UserNotFoundException'))
  await t.rejects(
    create('jane', { MessageAction: 'RESEND' }),
    refused('UnsupportedUserStateException', /status is not FORCE_CHANGE_PASSWORD$/),
  )
})

t.test('every operation wants the pool and a user that is there', async (t) => {
  const gone = refused('UserNotFoundException', 'User does not exist.')
  await t.rejects(sdk.adminGetUser(of('nobody')), gone)
  await t.rejects(sdk.adminDeleteUser(of('nobody')), gone)
  await t.rejects(
    sdk.adminGetUser({ UserPoolId: 'local_other', Username: 'jane' }),
    refused('ResourceNotFoundException', 'User pool local_other does not exist.'),
  )
  await t.resolves(sdk.adminGetUser(of('jane@example.com')), 'by a verified address too')
})

t.test('attributes are changed, verified at a word, and never to what is taken', async (t) => {
  const update = (Username: string, ...pairs: [string, string][]) =>
    sdk.adminUpdateUserAttributes({
      ...of(Username),
      UserAttributes: pairs.map(([Name, Value]) => ({ Name, Value })),
    })
  await update('joan', ['email', 'joan@example.com'], ['email_verified', 'true'])
  await t.resolves(signIn('joan@example.com', 'Secret-1'))
  await update('joan', ['email', 'joan@example.org'])
  await t.rejects(signIn('joan@example.org', 'Secret-1'), refused('NotAuthorizedException'))
  await t.rejects(
    update('joan', ['email', 'jane@example.com'], ['email_verified', 'true']),
    refused('AliasExistsException'),
  )
})

t.test('a sign-up is confirmed without a code, once', async (t) => {
  await sdk.signUp({ ClientId, Username: 'una', Password: GOOD_PASSWORD })
  await sdk.adminConfirmSignUp(of('una'))
  await t.resolves(signIn('una', GOOD_PASSWORD))
  await t.rejects(
    sdk.adminConfirmSignUp(of('una')),
    refused('NotAuthorizedException', 'User cannot be confirmed. Current status is CONFIRMED'),
  )
})

t.test('a password is set for good, or to be changed', async (t) => {
  const set = (Password: string, Permanent: boolean) =>
    sdk.adminSetUserPassword({ ...of('una'), Password, Permanent })
  await set('Other-Pass-1', true)
  await t.resolves(signIn('una', 'Other-Pass-1'))
  await set('Other-Pass-2', false)
  await t.rejects(signIn('una', 'Other-Pass-2'), /asks for NEW_PASSWORD_REQUIRED/)
  await t.rejects(set('short', true), refused('InvalidPasswordException'))
})

t.test('a password that was reset is chosen anew with a code', async (t) => {
  await sdk.adminResetUserPassword(of('jane'))
  t.match(await sdk.adminGetUser(of('jane')), { UserStatus: 'RESET_REQUIRED' })
  await t.rejects(
    signIn('jane', 'Secret-1'),
    refused('PasswordResetRequiredException', 'Password reset required for the user'),
  )
  await sdk.confirmForgotPassword({
    ClientId,
    Username: 'jane',
    ConfirmationCode: code('jane'),
    Password: 'Secret-1',
  })
  await t.resolves(signIn('jane', 'Secret-1'))
  await t.rejects(sdk.adminResetUserPassword(of('joan')), refused('InvalidParameterException'))
})

t.test(
  'whoever is disabled has no access at once, and comes back without former sign-ins',
  async (t) => {
    const former = await signIn('jane', 'Secret-1')
    await sdk.adminDisableUser(of('jane'))
    const disabled = refused('NotAuthorizedException', 'User is disabled.')
    await t.rejects(refresh(former.RefreshToken), disabled)
    await t.rejects(sdk.getUser({ AccessToken: former.AccessToken }), disabled)
    await t.rejects(signIn('jane', 'Secret-1'), disabled)
    clock.stepWall(1)
    await sdk.adminEnableUser(of('jane'))
    await t.rejects(refresh(former.RefreshToken), refused('NotAuthorizedException', /revoked$/))
    await t.resolves(signIn('jane', 'Secret-1'))
  },
)

t.test('an operator signs somebody out everywhere', async (t) => {
  const { AccessToken, RefreshToken } = await signIn('jane', 'Secret-1')
  await sdk.adminUserGlobalSignOut(of('jane'))
  await t.rejects(refresh(RefreshToken), refused('NotAuthorizedException', /revoked$/))
  await t.rejects(sdk.getUser({ AccessToken }), refused('NotAuthorizedException', /revoked$/))
})

t.test('a name that is deleted and given again brings no former sign-in back', async (t) => {
  clock.stepWall(1)
  const { AccessToken, RefreshToken } = await signIn('jane', 'Secret-1')
  await sdk.forgotPassword({ ClientId, Username: 'jane' })
  const ConfirmationCode = code('jane')
  await sdk.adminDeleteUser(of('jane'))
  await t.rejects(refresh(RefreshToken), refused('NotAuthorizedException', 'Invalid Refresh Token'))
  clock.stepWall(1)
  await sdk.adminCreateUser({ ...of('jane'), TemporaryPassword: GOOD_PASSWORD })
  await t.rejects(refresh(RefreshToken), refused('NotAuthorizedException', /revoked$/))
  await t.rejects(sdk.getUser({ AccessToken }), refused('UserNotFoundException'))
  await t.rejects(
    sdk.confirmForgotPassword({
      ClientId,
      ConfirmationCode,
      Username: 'jane',
      Password: 'New-Pass-1',
    }),
    refused('ExpiredCodeException'),
  )
})
