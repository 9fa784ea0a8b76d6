// Attributes: what fits, where codes go, and when an address ceases to be verified.
import t from 'tap'
import {
  aliasesOf,
  changeAttributes,
  contactOf,
  ownAttributes,
  parseAttributes,
} from '../../src/dev-pool/attributes.ts'

t.test('texts become attributes by their names', async (t) => {
  const given = { email: 'a@b.c', email_verified: 'true', 'custom:n': '1', birthdate: '' }
  t.strictSame(parseAttributes(Object.entries(given)), { ...given, email_verified: true })
})

t.test('what is no attribute, or does not fit, is refused', async (t) => {
  const refusals: [string, string, boolean][] = [
    ['name', 'x'.repeat(2048), true],
    ['name', 'x'.repeat(2049), false],
    [`custom:${'x'.repeat(20)}`, '', true],
    [`custom:${'x'.repeat(21)}`, '', false],
    ['phone_number', '+123456789012345', true],
    ['phone_number', '+1234567890123456', false],
    ['email', 'a b@c', false],
    ['email_verified', 'TRUE', false],
    ['sub', 'x', false],
    ['__proto__', 'x', false],
    ['identities', '[]', false],
  ]
  for (const [name, value, fits] of refusals) {
    const isRefused = 'type' in parseAttributes([[name, value]])
    t.equal(isRefused, !fits, `${name} of ${value.length}`)
  }
})

t.test('nobody says of herself that an address is verified', async (t) => {
  t.match(ownAttributes({ name: 'A', email_verified: true }), { type: 'NotAuthorizedException' })
  t.match(ownAttributes({ phone_number_verified: false }), { type: 'NotAuthorizedException' })
  t.same(ownAttributes({ name: 'A' }), { name: 'A' })
})

t.test('an address that changes is unverified, unless the change says otherwise', async (t) => {
  const former = { email: 'a@b.c', email_verified: true, name: 'A' }
  t.match(changeAttributes(former, { email: 'b@b.c' }), { email_verified: false, name: 'A' })
  t.match(changeAttributes(former, { email: 'a@b.c' }), { email_verified: true })
  t.match(changeAttributes(former, { name: 'B' }), { email_verified: true, name: 'B' })
  t.match(changeAttributes(former, { email: 'b@b.c', email_verified: true }), {
    email: 'b@b.c',
    email_verified: true,
  })
})

t.test(
  'codes go to the e-mail address first; only verified addresses stand for a name',
  async (t) => {
    const both = {
      email: 'A@b.c',
      email_verified: false,
      phone_number: '+1',
      phone_number_verified: true,
    }
    t.equal(contactOf(both, 'any'), 'email')
    t.equal(contactOf(both, 'verified'), 'phone_number')
    t.equal(contactOf({ email_verified: true }, 'verified'), undefined)
    t.same(aliasesOf(both), ['+1'])
    t.same(aliasesOf({ ...both, email_verified: true }), ['a@b.c', '+1'])
    t.same(aliasesOf({ email_verified: true }), [])
  },
)
