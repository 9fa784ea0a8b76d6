// What people do with their own accounts by API: addresses are verified, passwords changed, sign-ins ended.
import t from 'tap'
import { refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
users:
  jane: {password: Secret-1, attributes: {email: jane@example.com, email_verified: true}}
  joan: {password: Secret-1, attributes: {email: joan@example.com, email_verified: true}}
`
const { sdk, clock, code, signIn, refresh } = await startPoolClient(t, USERS)

async function attributesOf(AccessToken: string | undefined) {
  const { UserAttributes = [] } = await sdk.getUser({ AccessToken })
  return Object.fromEntries(UserAttributes.map(({ Name, Value }) => [Name, Value]))
}

t.test('a changed address is unverified until its code is shown', async (t) => {
  const { AccessToken } = await signIn('jane', 'Secret-1')
  const update = (Name: string, Value: string) =>
    sdk.updateUserAttributes({ AccessToken, UserAttributes: [{ Name, Value }] })
  const { CodeDeliveryDetailsList: sent } = await update('email', 'new@example.com')
  t.match(sent, [{ AttributeName: 'email', Destination: 'n***@e***' }])
  t.match(await attributesOf(AccessToken), { email: 'new@example.com', email_verified: 'false' })
  const verify = (Code: string, AttributeName = 'email') =>
    sdk.verifyUserAttribute({ AccessToken, AttributeName, Code })
  await t.rejects(verify('12345'), refused('CodeMismatchException'))
  await t.rejects(
    verify('123456', 'phone_number'),
    refused('InvalidParameterException', 'User has no phone_number to verify.'),
  )
  await sdk.getUserAttributeVerificationCode({ AccessToken, AttributeName: 'email' })
  await verify(code('jane'))
  t.match(await attributesOf(AccessToken), { email_verified: 'true' })
  t.same((await update('name', 'Jane')).CodeDeliveryDetailsList, [])
  await t.resolves(signIn('new@example.com', 'Secret-1'))
})

t.test("nobody verifies what is somebody else's, or by her own word", async (t) => {
  const { AccessToken } = await signIn('jane', 'Secret-1')
  const update = (Name: string, Value: string) =>
    sdk.updateUserAttributes({ AccessToken, UserAttributes: [{ Name, Value }] })
  await t.rejects(update('email_verified', 'true'), refused('NotAuthorizedException'))
  await update('email', 'joan@example.com')
  await t.rejects(
    sdk.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code: code('jane') }),
    refused('AliasExistsException'),
  )
})

t.test('a password is changed by whoever knows the former one', async (t) => {
  const { AccessToken } = await signIn('joan', 'Secret-1')
  const change = (PreviousPassword: string, ProposedPassword: string) =>
    sdk.changePassword({ AccessToken, PreviousPassword, ProposedPassword })
  await t.rejects(
    change('wrong', 'Secret-2'),
    refused('NotAuthorizedException', 'Incorrect username or password.'),
  )
  await t.rejects(change('Secret-1', 'secret-2'), refused('InvalidPasswordException'))
  await change('Secret-1', 'Secret-2')
  await t.rejects(signIn('joan', 'Secret-1'), refused('NotAuthorizedException'))
  await t.resolves(signIn('joan', 'Secret-2'))
})

t.test('signing out ends all sign-ins so far, and none that comes after', async (t) => {
  const [one, other] = [await signIn('joan', 'Secret-2'), await signIn('joan', 'Secret-2')]
  await sdk.globalSignOut({ AccessToken: one.AccessToken })
  for (const { AccessToken, RefreshToken } of [one, other]) {
    await t.rejects(
      sdk.getUser({ AccessToken }),
      refused('NotAuthorizedException', 'Access Token has been revoked'),
    )
    await t.rejects(
      refresh(RefreshToken),
      refused('NotAuthorizedException', 'Refresh Token has been revoked'),
    )
  }
  clock.stepWall(1)
  const next = await signIn('joan', 'Secret-2')
  await t.resolves(sdk.getUser({ AccessToken: next.AccessToken }))
  await t.resolves(refresh(next.RefreshToken))
})

t.test('of two changes at once neither undoes the other', async (t) => {
  clock.stepWall(1)
  const { AccessToken } = await signIn('joan', 'Secret-2')
  const UserAttributes = ['name', 'nickname', 'locale'].map((Name) => ({ Name, Value: 'x' }))
  await Promise.all(
    UserAttributes.map((attribute) =>
      sdk.updateUserAttributes({ AccessToken, UserAttributes: [attribute] }),
    ),
  )
  t.match(await attributesOf(AccessToken), { name: 'x', nickname: 'x', locale: 'x' })
})

t.test('an account that is deleted is gone at once', async (t) => {
  const { AccessToken, RefreshToken } = await signIn('jane', 'Secret-1')
  await sdk.deleteUser({ AccessToken })
  await t.rejects(sdk.getUser({ AccessToken }), refused('UserNotFoundException'))
  await t.rejects(refresh(RefreshToken), refused('NotAuthorizedException', 'Invalid Refresh Token'))
  await t.rejects(signIn('jane', 'Secret-1'), refused('NotAuthorizedException'))
})
