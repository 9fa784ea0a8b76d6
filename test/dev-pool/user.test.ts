// Subjects and roles of dev users.
import t from 'tap'
import {
  type DevGroup,
  type DevUser,
  isVoidSignIn,
  rolesOf,
  toSubject,
} from '../../src/dev-pool/user.ts'

const directory = (groups: Record<string, DevGroup>) => ({
  users: new Map(),
  groups: new Map(Object.entries(groups)),
})

t.test('a subject is a UUID that follows from the name alone', async (t) => {
  t.match(toSubject('jane'), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  t.equal(toSubject('jane'), toSubject('jane'))
  t.not(toSubject('jane'), toSubject('Jane'))
})

t.test('the role with the lowest precedence is preferred', async (t) => {
  const groups = directory({ a: { role: 'A', precedence: 5 }, b: { role: 'B', precedence: 4 } })
  t.same(rolesOf(['a', 'b'], groups), { roles: ['A', 'B'], preferred: 'B' })
  t.same(rolesOf(['a'], groups), { roles: ['A'], preferred: 'A' })
})

t.test(
  'two roles of the same precedence leave none preferred, the same role twice does',
  async (t) => {
    const tie = directory({ a: { role: 'A', precedence: 1 }, b: { role: 'B', precedence: 1 } })
    t.same(rolesOf(['a', 'b'], tie), { roles: ['A', 'B'], preferred: undefined })
    const same = directory({ a: { role: 'A', precedence: 1 }, b: { role: 'A', precedence: 1 } })
    t.same(rolesOf(['a', 'b'], same), { roles: ['A'], preferred: 'A' })
  },
)

t.test('groups without a role, known or not, bring none', async (t) => {
  t.same(rolesOf(['a', 'x'], directory({ a: { precedence: 1 } })), {
    roles: [],
    preferred: undefined,
  })
})

t.test(
  'sign-ins up to the last sign-out are void, and those of a former user of that name',
  async (t) => {
    const user = { createdMs: 10 } as DevUser
    t.ok(isVoidSignIn(user, 9))
    t.notOk(isVoidSignIn(user, 10))
    t.ok(isVoidSignIn({ ...user, signedOutMs: 20 }, 20))
    t.notOk(isVoidSignIn({ ...user, signedOutMs: 20 }, 21))
  },
)
