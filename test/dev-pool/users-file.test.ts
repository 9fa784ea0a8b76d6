// Users files: what they may say, and that every mistake is told with its place.
import t from 'tap'
import { DEFAULT_USERS } from '../../src/dev-pool/default-users.ts'
import { parseUsersFile, UsersFileError } from '../../src/dev-pool/users-file.ts'

function problemsOf(text: string): readonly string[] {
  try {
    parseUsersFile(text, 'u.yaml')
    return []
  } catch (error) {
    if (error instanceof UsersFileError) return error.message.split('\n')
    throw error
  }
}

t.test('the built-in users are a good example', async (t) => {
  const { users, groups } = parseUsersFile(DEFAULT_USERS, 'built-in users')
  t.same([...users.keys()], ['admin', 'reader', 'guest'])
  t.same(users.get('admin')?.groups, ['admins'])
  t.same(users.get('guest')?.groups, [])
  t.match(groups.get('admins'), { role: /^arn:aws:iam::/, precedence: 1 })
  for (const user of users.values()) {
    t.ok(user.enabled)
    t.match(user.attributes, { email: /@example\.com$/, 'custom:tenant': String })
  }
})

t.test('a user needs a password and nothing else', async (t) => {
  const { users, groups } = parseUsersFile('users: {jane: {password: x}}', 'u.yaml')
  t.match(users.get('jane'), { username: 'jane', password: 'x', enabled: true })
  t.match(users.get('jane'), { groups: [], scopes: [], attributes: {} })
  t.equal(groups.size, 0)
})

t.test('an email address is unverified unless the file says otherwise', async (t) => {
  const attributesOf = (text: string) =>
    parseUsersFile(`users: {a: {password: x, attributes: ${text}}}`, 'u.yaml').users.get('a')
      ?.attributes
  t.same(attributesOf('{email: a@b.c}'), { email_verified: false, email: 'a@b.c' })
  t.same(attributesOf('{email: a@b.c, email_verified: true}'), {
    email_verified: true,
    email: 'a@b.c',
  })
  t.same(attributesOf('{name: A}'), { name: 'A' })
})

t.test('names mean nothing to JavaScript', async (t) => {
  const text = 'users: {__proto__: {password: x}, constructor: {password: y}}'
  const { users } = parseUsersFile(text, 'u.yaml')
  t.same([...users.keys()], ['__proto__', 'constructor'])
  t.equal(users.get('__proto__')?.password, 'x')
  t.equal(users.get('toString'), undefined)
})

t.test('a mistake is told with its line, column and path', async (t) => {
  const cases: [string, string][] = [
    ['', 'u.yaml:1:1: expected a mapping'],
    ['users: []', 'u.yaml:1:1: users: expected a mapping'],
    ['groups: {}', 'u.yaml:1:1: users: is required'],
    ['users: {}\npeople: {}', 'u.yaml:2:1: people: unknown key; known are users, groups'],
    ['users:\n  jane: {}', 'u.yaml:2:3: users.jane.password: is required'],
    [
      'users:\n  jane:\n    password: 1234',
      'u.yaml:3:5: users.jane.password: expected text; put it in quotes if it looks like something else',
    ],
    [
      'users:\n  jane: {password: x, group: [a]}',
      'u.yaml:2:23: users.jane.group: unknown key; known are password, sub, enabled, groups, scopes, attributes',
    ],
    [
      'users:\n  jane: {password: x, enabled: yes}',
      'u.yaml:2:23: users.jane.enabled: expected true or false',
    ],
    ['users:\n  jane: {password: x, groups: a}', 'u.yaml:2:23: users.jane.groups: expected a list'],
    [
      'users:\n  jane:\n    password: x\n    groups: [a, 7]',
      'u.yaml:4:17: users.jane.groups[1]: expected a name without spaces (a number needs quotes)',
    ],
    [
      'users:\n  jane: {password: x, scopes: ["a b"]}',
      'u.yaml:2:32: users.jane.scopes[0]: expected a name without spaces (a number needs quotes)',
    ],
    [
      'users:\n  ja ne: {password: x}',
      'u.yaml:2:3: users.ja ne: a name has 1 to 128 characters and no spaces',
    ],
    [
      'users:\n  a: {password: x, attributes: {tenant: b}}',
      'u.yaml:2:33: users.a.attributes.tenant: not a standard attribute; begin your own with custom:',
    ],
    [
      'users:\n  a: {password: x, attributes: {"custom:n": 7}}',
      'u.yaml:2:33: users.a.attributes.custom:n: expected text; put it in quotes if it looks like something else',
    ],
    [
      'users:\n  a: {password: x, attributes: {email_verified: "true"}}',
      'u.yaml:2:33: users.a.attributes.email_verified: expected true or false',
    ],
    [
      'users: {}\ngroups: {a: {precedence: -1}}',
      'u.yaml:2:14: groups.a.precedence: expected a whole number from 0',
    ],
  ]
  for (const [text, problem] of cases) t.same(problemsOf(text), [problem], text)
})

t.test('all mistakes are told at once', async (t) => {
  const problems = problemsOf('users:\n  a: {}\n  b: {password: x, enabled: 1}\nx: 1\n')
  t.same(
    problems.map((problem) => problem.split(': ')[0]),
    ['u.yaml:4:1', 'u.yaml:2:3', 'u.yaml:3:20'],
  )
})

t.test('what is no YAML is told as such', async (t) => {
  t.match(problemsOf('users: {a: [}'), [/^u\.yaml:1:\d+: /])
  t.match(problemsOf('users: {a: {password: x}, a: {password: y}}'), [/^u\.yaml:1:\d+: .*unique/])
  t.match(problemsOf('users: *nobody'), [/^u\.yaml:1:/])
})

t.test('names are bounded from both sides', async (t) => {
  t.same(problemsOf(`users: {${'a'.repeat(128)}: {password: x}}`), [])
  t.equal(problemsOf(`users: {? ${'a'.repeat(129)} : {password: x}}`).length, 1)
  t.same(problemsOf('users: {"": {password: x}}').length, 1)
  t.same(problemsOf('users: {"a,b%é": {password: x}}'), [])
})
