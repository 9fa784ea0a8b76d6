// Signing up and forgotten passwords by API, with every refusal; what tells no name apart from another.
import t from 'tap'
import { GOOD_PASSWORD, refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
users:
  jane: {password: Secret-1, attributes: {email: jane@example.com, email_verified: true}}
  nomail: {password: Secret-1, attributes: {email: no@example.com}}
  off: {password: Secret-1, enabled: false, attributes: {email: off@example.com, email_verified: true}}
`
const { sdk, ClientId, code, signIn, clock, messages, pool } = await startPoolClient(t, USERS)
const email = (Value: string) => [{ Name: 'email', Value }]
const signUp = (Username: string, changes = {}) =>
  sdk.signUp({ ClientId, Username, Password: GOOD_PASSWORD, ...changes })
const confirm = (Username: string, ConfirmationCode = code(Username)) =>
  sdk.confirmSignUp({ ClientId, Username, ConfirmationCode })
const reset = (Username: string, ConfirmationCode: string, Password = 'New-Pass-2') =>
  sdk.confirmForgotPassword({ ClientId, Username, ConfirmationCode, Password })
const wrong = (right: string) => (right === '000000' ? '000001' : '000000')

t.test('who signs up, and shows the code, signs in: by name and by address', async (t) => {
  const made = await signUp('ann', { UserAttributes: email('ann@example.com') })
  t.match(made, {
    UserConfirmed: false,
    UserSub: /^[0-9a-f-]{36}$/,
    CodeDeliveryDetails: {
      AttributeName: 'email',
      DeliveryMedium: 'EMAIL',
      Destination: 'a***@e***',
    },
  })
  t.equal(messages.at(-1), `ann: Your confirmation code is ${code('ann')}`)
  await t.rejects(
    signIn('ann', GOOD_PASSWORD),
    refused('UserNotConfirmedException', 'User is not confirmed.'),
  )
  await t.rejects(signIn('ann@example.com', GOOD_PASSWORD), refused('NotAuthorizedException'))
  await confirm('ann')
  await t.resolves(signIn('ann', GOOD_PASSWORD))
  await t.resolves(signIn('Ann@Example.com', GOOD_PASSWORD))
})

t.test('a wrong code, a code that is too old, and a second confirmation are refused', async (t) => {
  await signUp('bob')
  const first = code('bob')
  await t.rejects(
    confirm('bob', wrong(first)),
    refused('CodeMismatchException', 'Invalid verification code provided, please try again.'),
  )
  clock.stepWall(24 * 3_600_000)
  const expired = refused(
    'ExpiredCodeException',
    'Invalid code provided, please request a code again.',
  )
  await t.rejects(confirm('bob', first), expired)
  await sdk.resendConfirmationCode({ ClientId, Username: 'bob' })
  await confirm('bob')
  await t.rejects(
    confirm('bob', '123456'),
    refused('NotAuthorizedException', 'User cannot be confirmed. Current status is CONFIRMED'),
  )
  await t.rejects(
    sdk.resendConfirmationCode({ ClientId, Username: 'bob' }),
    refused('InvalidParameterException', 'User is already confirmed.'),
  )
  await t.rejects(confirm('nobody', '123456'), expired)
  await t.rejects(confirm('off', '123456'), expired)
})

t.test('five wrong codes are enough', async (t) => {
  await signUp('guess')
  for (let count = 0; count < 5; count += 1) {
    await t.rejects(confirm('guess', wrong(code('guess'))), refused('CodeMismatchException'))
  }
  await t.rejects(
    confirm('guess'),
    refused('LimitExceededException', 'Attempt limit exceeded, please try after some time.'),
  )
})

t.test('names and addresses that are taken are refused, when it shows', async (t) => {
  await t.rejects(signUp('jane'), refused('UsernameExistsException', 'User already exists'))
  await t.rejects(signUp('jane@example.com'), refused('UsernameExistsException'))
  await signUp('thief', { UserAttributes: email('JANE@example.com') })
  await t.rejects(
    confirm('thief'),
    refused(
      'AliasExistsException',
      'An account with the given email or phone_number already exists.',
    ),
  )
})

t.test('what is no name, no password or no attribute is refused', async (t) => {
  await t.rejects(signUp('two words'), refused('InvalidParameterException', /at 'username'/))
  await t.rejects(signUp('x'.repeat(129)), refused('InvalidParameterException', /at 'username'/))
  await t.resolves(signUp('x'.repeat(128)))
  await t.rejects(
    signUp('carl', { Password: 'short' }),
    refused(
      'InvalidPasswordException',
      'Password did not conform with policy: Password not long enough',
    ),
  )
  const refusals: [string, string, string][] = [
    ['email', 'none', 'Invalid email address format.'],
    ['phone_number', '0123', 'Invalid phone number format.'],
    ['tenant', 'a', 'tenant: Attribute does not exist in the schema.'],
  ]
  for (const [Name, Value, message] of refusals) {
    await t.rejects(
      signUp('carl', { UserAttributes: [{ Name, Value }] }),
      refused('InvalidParameterException', new RegExp(`${message}$`)),
    )
  }
  await t.rejects(
    signUp('carl', { UserAttributes: [{ Name: 'email_verified', Value: 'true' }] }),
    refused('NotAuthorizedException', 'A client attempted to write unauthorized attribute'),
  )
  await t.rejects(
    signUp('carl', { ClientId: 'other' }),
    refused('ResourceNotFoundException', 'User pool client other does not exist.'),
  )
  const { Username: _, ...nameless } = { ClientId, Username: 'x', Password: GOOD_PASSWORD }
  await t.rejects(
    sdk.signUp(nameless as Parameters<typeof sdk.signUp>[0]),
    refused('InvalidParameterException', 'Missing required parameter Username'),
  )
})

t.test('a client with a secret shows that it knows it', async (t) => {
  const { id, secret } = pool.serverClient
  const { createHmac } = await import('node:crypto')
  const hash = (text: string) => createHmac('sha256', secret).update(text).digest('base64')
  const asServer = (Username: string, SecretHash?: string) =>
    signUp(Username, { ClientId: id, SecretHash })
  await t.rejects(
    asServer('srv'),
    refused('NotAuthorizedException', /SECRET_HASH was not received/),
  )
  await t.rejects(
    asServer('srv', hash(`other${id}`)),
    refused('NotAuthorizedException', `SecretHash does not match for the client: ${id}`),
  )
  await t.resolves(asServer('srv', hash(`srv${id}`)))
})

t.test('a forgotten password is replaced by whoever has the code', async (t) => {
  const { CodeDeliveryDetails: sent } = await sdk.forgotPassword({ ClientId, Username: 'jane' })
  t.match(sent, { Destination: 'j***@e***', AttributeName: 'email' })
  await t.rejects(reset('jane', wrong(code('jane'))), refused('CodeMismatchException'))
  await t.rejects(reset('jane', code('jane'), 'short'), refused('InvalidPasswordException'))
  await reset('jane', code('jane'))
  await t.rejects(signIn('jane', 'Secret-1'), refused('NotAuthorizedException'))
  await t.resolves(signIn('jane', 'New-Pass-2'))
  await t.rejects(reset('jane', '123456'), refused('ExpiredCodeException'))
})

t.test('nobody learns from a forgotten password whether a name exists', async (t) => {
  const { CodeDeliveryDetails: sent } = await sdk.forgotPassword({ ClientId, Username: 'nobody' })
  t.match(sent, { DeliveryMedium: 'EMAIL', AttributeName: 'email' })
  await t.rejects(reset('nobody', '123456'), refused('CodeMismatchException'))
  await t.rejects(reset('off', '123456'), refused('CodeMismatchException'))
  const { CodeDeliveryDetails: again } = await sdk.resendConfirmationCode({
    ClientId,
    Username: 'nobody',
  })
  t.match(again, { AttributeName: 'email' })
})

t.test('a code for a password needs a verified address and a user who may have one', async (t) => {
  const forget = (Username: string) => sdk.forgotPassword({ ClientId, Username })
  await t.rejects(forget('off'), refused('NotAuthorizedException', 'User is disabled.'))
  await t.rejects(
    forget('nomail'),
    refused('InvalidParameterException', /no registered\/verified email or phone_number$/),
  )
})
