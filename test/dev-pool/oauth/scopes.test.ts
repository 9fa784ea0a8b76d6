// Scopes: which there are, who gets them, and what they let be read.
import t from 'tap'
import {
  allScopes,
  grantedScopes,
  parseScopes,
  readableAttributes,
  resourceScopes,
} from '../../../src/dev-pool/oauth/scopes.ts'
import type { DevUser } from '../../../src/dev-pool/user.ts'
import { parseUsersFile } from '../../../src/dev-pool/users-file.ts'

const directory = parseUsersFile(
  `
users:
  jane:
    password: x
    scopes: [orders/read, own/scope]
    attributes: {email: j@example.com, email_verified: true, phone_number: '+491', name: Jane}
  joe: {password: x, scopes: [own/scope]}
`,
  'u.yaml',
)
const jane = directory.users.get('jane') as DevUser

t.test('scopes of resource servers are those of the demo and of all users', async (t) => {
  t.strictSame(resourceScopes(directory), ['orders/read', 'orders/write', 'own/scope'])
  t.ok(allScopes(directory).includes('openid'))
})

t.test('a user gets scopes of resource servers only where they are her own', async (t) => {
  const asked = ['orders/write', 'openid', 'own/scope', 'phone']
  t.strictSame(grantedScopes(asked, jane), ['openid', 'own/scope', 'phone'])
})

t.test('nothing asked is everything; one that is unknown is nothing', async (t) => {
  t.strictSame(parseScopes(undefined, ['a', 'b']), { scopes: ['a', 'b'] })
  t.strictSame(parseScopes(' ', ['a', 'b']), { scopes: ['a', 'b'] })
  t.strictSame(parseScopes('b a b', ['a', 'b']), { scopes: ['b', 'a'] })
  t.strictSame(parseScopes('a c d', ['a', 'b']), { unknown: 'c' })
})

t.test('attributes go by scope: all for profile and for openid alone', async (t) => {
  const namesFor = (...scopes: string[]) => Object.keys(readableAttributes(jane, scopes))
  const all = ['email_verified', 'phone_number_verified', 'email', 'phone_number', 'name']
  t.same(namesFor('openid').toSorted(), Object.keys(jane.attributes).toSorted())
  t.ok(namesFor('openid').every((name) => all.includes(name)))
  t.same(namesFor('openid', 'profile', 'email').toSorted(), namesFor('openid').toSorted())
  t.same(namesFor('openid', 'email').toSorted(), ['email', 'email_verified'])
  t.ok(namesFor('openid', 'phone').includes('phone_number'))
  t.notOk(namesFor('openid', 'phone').includes('email'))
})
