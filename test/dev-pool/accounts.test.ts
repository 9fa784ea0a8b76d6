// Accounts in every state: who can sign in, who gets a code, who can be confirmed. What the API's tests cannot make goes through here.
import t from 'tap'
import { createAccounts, toNewUser } from '../../src/dev-pool/accounts.ts'
import { isApiError } from '../../src/dev-pool/api-error.ts'
import { createConfirmationCodes } from '../../src/dev-pool/confirmation-codes.ts'
import { totpAt } from '../../src/dev-pool/totp.ts'
import type { DevUser, UserStatus } from '../../src/dev-pool/user.ts'
import { createUserStore } from '../../src/dev-pool/user-store.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const MAIL = { email: 'ann@example.com', email_verified: true }

function open(status: UserStatus, changes: Partial<DevUser> = {}) {
  const clock = createFakeClock()
  const store = createUserStore({ clock, onChange: () => {} })
  const codes = createConfirmationCodes(clock)
  const user = store.save({ ...toNewUser('ann', MAIL), status, password: 'p', ...changes })
  return { clock, store, codes, user, accounts: createAccounts({ clock, store, codes }) }
}

const sessionOf = (step: object) => ('session' in step ? String(step.session) : 'none')

t.test('what a right password brings depends on the state of the user', async (t) => {
  const expected: [UserStatus, Partial<DevUser>, object][] = [
    ['CONFIRMED', {}, { user: { username: 'ann' }, usedTotp: false }],
    ['UNCONFIRMED', {}, { type: 'UserNotConfirmedException' }],
    ['FORCE_CHANGE_PASSWORD', {}, { challenge: 'NEW_PASSWORD_REQUIRED' }],
    ['RESET_REQUIRED', {}, { type: 'PasswordResetRequiredException' }],
    ['EXTERNAL_PROVIDER', { password: undefined }, { type: 'NotAuthorizedException' }],
    ['CONFIRMED', { enabled: false }, { message: 'User is disabled.' }],
    ['CONFIRMED', { totpSecret: 'A', totpEnabled: true }, { challenge: 'SOFTWARE_TOKEN_MFA' }],
    ['CONFIRMED', { totpSecret: 'A' }, { usedTotp: false }],
    ['CONFIRMED', { totpEnabled: true }, { usedTotp: false }],
  ]
  for (const [status, changes, outcome] of expected) {
    const { accounts } = open(status, changes)
    t.match(accounts.authenticate('ann', 'p'), outcome, `${status} ${Object.keys(changes)}`)
  }
})

t.test(
  'a wrong password tells no state, but one: nobody knows a password that was reset',
  async (t) => {
    for (const status of ['UNCONFIRMED', 'FORCE_CHANGE_PASSWORD', 'EXTERNAL_PROVIDER'] as const) {
      const { accounts } = open(status)
      t.match(accounts.authenticate('ann', 'x'), { message: 'Incorrect username or password.' })
    }
    const { accounts } = open('RESET_REQUIRED', { enabled: false })
    t.match(accounts.authenticate('ann', 'x'), { message: 'Incorrect username or password.' })
  },
)

t.test('after a new password the second factor is asked for all the same', async (t) => {
  const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  const { accounts, clock } = open('FORCE_CHANGE_PASSWORD', { totpSecret, totpEnabled: true })
  const first = sessionOf(accounts.authenticate('ann', 'p'))
  const second = accounts.answerNewPassword(first, 'ann', 'Good-Pass-1', {})
  t.match(second, { challenge: 'SOFTWARE_TOKEN_MFA' })
  const code = totpAt(totpSecret, clock.now())
  t.match(accounts.answerTotp(sessionOf(second), 'ann', code), { usedTotp: true })
})

t.test(
  'a forgotten password is for those who have one, and an address that is verified',
  async (t) => {
    const expected: [UserStatus, Partial<DevUser>, object][] = [
      ['CONFIRMED', {}, { delivery: { contact: 'email', address: 'ann@example.com' } }],
      ['RESET_REQUIRED', { password: undefined }, { delivery: { contact: 'email' } }],
      ['EXTERNAL_PROVIDER', {}, { message: /cannot be reset in the current state/ }],
      ['FORCE_CHANGE_PASSWORD', {}, { message: /cannot be reset in the current state/ }],
      ['CONFIRMED', { enabled: false }, { message: 'User is disabled.' }],
      ['CONFIRMED', { attributes: { email: 'a@b.c' } }, { type: 'InvalidParameterException' }],
    ]
    for (const [status, changes, outcome] of expected) {
      const { accounts, codes } = open(status, changes)
      const sent = accounts.forgotPassword('ann')
      t.match(sent, outcome, `${status} ${Object.keys(changes)}`)
      t.equal(codes.latest('ann') === undefined, isApiError(sent), 'a code only where it is told')
    }
  },
)

t.test(
  'a code confirms the address it was sent to; without an address, the user alone',
  async (t) => {
    for (const [attributes, confirmed] of [
      [
        { email: 'a@b.c', phone_number: '+1' },
        { email_verified: true, phone_number_verified: undefined },
      ],
      [{ phone_number: '+1' }, { phone_number_verified: true }],
      [{}, {}],
    ] as const) {
      const { accounts, codes } = open('UNCONFIRMED', { attributes })
      accounts.resendCode('ann')
      const user = accounts.confirmSignUp('ann', codes.latest('ann') ?? '')
      t.match(user, { status: 'CONFIRMED', attributes: confirmed })
    }
  },
)

t.test(
  'an authenticator app counts once its code was right, and one secret at a time',
  async (t) => {
    const { accounts, clock, user } = open('CONFIRMED')
    const former = accounts.beginTotp('ann')
    const secret = accounts.beginTotp('ann')
    const code = (of: string) => totpAt(of, clock.now())
    t.match(accounts.confirmTotp(user, code(former), true), {
      type: 'EnableSoftwareTokenMFAException',
    })
    t.match(accounts.confirmTotp(user, code(secret), true), {
      totpSecret: secret,
      totpEnabled: true,
    })
    await clock.advance(30_000)
    t.match(accounts.confirmTotp(user, code(secret), true), {
      type: 'EnableSoftwareTokenMFAException',
    })
  },
)

t.test('with an account goes what was under way', async (t) => {
  const { accounts, codes, clock, user } = open('CONFIRMED')
  const secret = accounts.beginTotp('ann')
  accounts.forgotPassword('ann')
  accounts.remove(user)
  t.equal(codes.latest('ann'), undefined)
  t.match(accounts.confirmTotp(user, totpAt(secret, clock.now()), true), {
    message: 'Code mismatch',
  })
})
