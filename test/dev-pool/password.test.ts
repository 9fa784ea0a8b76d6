// Passwords: Cognito's default policy from both sides, and how they are kept.
import t from 'tap'
import { checkPassword, hashPassword, isPassword, isReadable } from '../../src/dev-pool/password.ts'

t.test('the policy asks for eight characters of four kinds', async (t) => {
  for (const good of ['Abcdef1!', `Aa1!${'x'.repeat(252)}`, 'A b cd 1e', 'Aa1:-_~"x']) {
    t.equal(checkPassword(good), undefined, good)
  }
  for (const [bad, why] of [
    ['Abcde1!', 'Password not long enough'],
    [`Aa1!${'x'.repeat(253)}`, 'Password too long'],
    ['ABCDEF1!', 'Password must have lowercase characters'],
    ['abcdef1!', 'Password must have uppercase characters'],
    ['Abcdefg!', 'Password must have numeric characters'],
    ['Abcdefg1', 'Password must have symbol characters'],
    [' Abcdef1', 'Password must not begin or end with a space'],
    ['Abcdef1 ', 'Password must not begin or end with a space'],
  ]) {
    t.same(checkPassword(bad as string), {
      type: 'InvalidPasswordException',
      message: `Password did not conform with policy: ${why}`,
    })
  }
})

t.test('a kept password hides the password, and only that one fits', async (t) => {
  const kept = hashPassword('Secret-1')
  t.notMatch(kept, /Secret/)
  t.not(kept, hashPassword('Secret-1'), 'each has a salt of its own')
  t.ok(isPassword(kept, 'Secret-1'))
  for (const other of ['', 'Secret-2', 'secret-1', kept]) t.notOk(isPassword(kept, other))
  t.notOk(isReadable(kept))
})

t.test('a password as it stands fits itself; none and a broken one fit nothing', async (t) => {
  t.ok(isPassword('pass', 'pass'))
  t.ok(isReadable('pass'))
  t.notOk(isPassword('pass', 'pass '))
  for (const given of ['', 'undefined', '$scrypt$']) {
    t.notOk(isPassword(undefined, given))
    t.notOk(isPassword('$scrypt$', given))
    t.notOk(isPassword('$scrypt$$', given))
    t.notOk(isPassword('$scrypt$AAAA$AAAA', given))
  }
})
