// The users file as it changes: good changes apply, bad ones are told once and change nothing.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createUserStore } from '../../src/dev-pool/user-store.ts'
import { UsersFileError } from '../../src/dev-pool/users-file.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const JANE = 'users: {jane: {password: x}}'

function watch(t: Test) {
  const clock = createFakeClock()
  const file = join(t.testdir({ 'u.yaml': JANE }), 'u.yaml')
  const told: (string | undefined)[] = []
  const users = createUserStore({
    clock,
    usersFile: file,
    onChange: (problem) => told.push(problem),
  })
  const names = () => [...users.directory().users.keys()]
  return { clock, file, told, users, names }
}

t.test('without a file the built-in users are there and nothing is watched', async (t) => {
  const clock = createFakeClock()
  const users = createUserStore({ clock, onChange: () => t.fail('nothing changes') })
  t.equal(users.directory().users.size, 3)
  t.equal(clock.pending(), 0)
  users.stop()
})

t.test('a change applies at the next look, every 500 ms', async (t) => {
  const { clock, file, told, names } = watch(t)
  writeFileSync(file, 'users: {joan: {password: x}}')
  await clock.advance(499)
  t.same(names(), ['jane'])
  await clock.advance(1)
  t.same(names(), ['joan'])
  t.same(told, [undefined])
  await clock.advance(5_000)
  t.same(told, [undefined], 'what stays the same is not told again')
})

t.test('a bad change keeps the last good users, is told once, and can be mended', async (t) => {
  const { clock, file, told, names } = watch(t)
  writeFileSync(file, 'users: {joan: {}}')
  await clock.advance(2_000)
  t.same(names(), ['jane'])
  t.same(told, [`${file}:1:9: users.joan.password: is required`])
  writeFileSync(file, JANE)
  await clock.advance(500)
  t.same(names(), ['jane'])
  t.equal(told.length, 2)
  t.equal(told[1], undefined)
})

t.test('a file that goes away is told once and keeps its users', async (t) => {
  const { clock, file, told, names } = watch(t)
  rmSync(file)
  await clock.advance(2_000)
  t.same(names(), ['jane'])
  t.same(told, [`${file}:1:1: cannot be read (ENOENT)`])
  writeFileSync(file, JANE)
  await clock.advance(500)
  t.same(told.slice(1), [undefined])
})

t.test('after stop nobody looks any more', async (t) => {
  const { clock, users } = watch(t)
  users.stop()
  t.equal(clock.pending(), 0)
})

t.test('a file that cannot be used at the start is an error', async (t) => {
  const clock = createFakeClock()
  const onChange = () => t.fail('an error is not a change')
  const bad = join(t.testdir({ 'u.yaml': 'users: 1' }), 'u.yaml')
  t.throws(() => createUserStore({ clock, usersFile: bad, onChange }), UsersFileError)
  t.throws(() => createUserStore({ clock, usersFile: `${bad}.not`, onChange }), {
    message: `${bad}.not:1:1: cannot be read (ENOENT)`,
  })
  t.equal(clock.pending(), 0)
})

const FILE = `
groups: {admins: {role: r, precedence: 1}}
users:
  jane: {password: x, groups: [admins], attributes: {email: Jane@Example.com, email_verified: true}}
  joan: {password: y, attributes: {email: joan@example.com}}
`
const NEWCOMER = {
  username: 'new',
  sub: 'n',
  enabled: true,
  status: 'CONFIRMED',
  password: undefined,
  groups: ['visitors'],
  scopes: [],
  attributes: { email: 'new@example.com', email_verified: true },
} as const

function open(t: Test, { text = FILE, dir = t.testdir({ 'u.yaml': text }) } = {}) {
  const clock = createFakeClock()
  const [usersFile, dataFile] = [join(dir, 'u.yaml'), join(dir, 'data.json')]
  const told: (string | undefined)[] = []
  const onChange = (problem: string | undefined) => void told.push(problem)
  const start = () => createUserStore({ clock, usersFile, dataFile, onChange })
  return { clock, usersFile, dataFile, told, start, store: start() }
}

t.test('people are found by username and by verified address, in any case', async (t) => {
  const { store } = open(t)
  t.equal(store.find('jane')?.username, 'jane')
  t.equal(store.find('jane@example.COM')?.username, 'jane')
  t.equal(store.find('joan@example.com'), undefined, 'not verified')
  t.equal(store.find('JANE'), undefined)
  store.save({ ...NEWCOMER, attributes: { email: 'jane@example.com', email_verified: true } })
  t.equal(store.find('jane@example.com'), undefined, 'nobody where two have the same')
})

t.test('saving sets the times, and makes the groups that are missing', async (t) => {
  const { clock, store } = open(t)
  const madeMs = clock.now()
  t.match(store.save(NEWCOMER), { createdMs: madeMs, modifiedMs: madeMs })
  t.match(store.directory().groups.get('visitors'), { createdMs: madeMs })
  clock.stepWall(5)
  t.match(store.save(NEWCOMER), { createdMs: madeMs, modifiedMs: madeMs + 5 })
  store.remove('new')
  t.equal(store.find('new'), undefined)
  t.match(store.save(NEWCOMER), { createdMs: madeMs + 5 }, 'somebody else of the same name')
})

t.test('a group that is removed has no members', async (t) => {
  const { store } = open(t)
  store.removeGroup('admins')
  t.same(store.find('jane')?.groups, [])
  t.notOk(store.directory().groups.has('admins'))
  store.saveGroup('admins', { precedence: 2 })
  t.match(store.directory().groups.get('admins'), { precedence: 2 })
})

t.test('a changed users file puts its own users again and leaves the others', async (t) => {
  const { clock, usersFile, store } = open(t)
  store.save({ ...NEWCOMER, groups: ['admins'] })
  store.save({ ...NEWCOMER, username: 'joan', signedOutMs: 7 })
  writeFileSync(usersFile, 'users: {joan: {password: z}}')
  await clock.advance(500)
  t.same([...store.directory().users.keys()], ['joan', 'new'])
  t.match(store.find('joan'), { password: 'z', signedOutMs: 7, attributes: {} })
  t.strictSame(store.find('joan')?.attributes, {})
  t.notOk(store.directory().groups.get('admins')?.role, 'what is left of a group is its name')
})

t.test('the data file keeps everything, for its owner alone', async (t) => {
  const { dataFile, store, start } = open(t)
  store.save({ ...NEWCOMER, password: 'p', totpSecret: 'A', totpEnabled: true, signedOutMs: 3 })
  store.save({ ...NEWCOMER, username: '__proto__', password: 'p' })
  store.remove('joan')
  store.saveGroup('g', { precedence: 3, description: 'd', role: 'r' })
  t.equal(statSync(dataFile).mode & 0o777, 0o600)
  const again = start()
  t.strictSame(again.directory(), store.directory())
  t.equal(again.find('joan'), undefined, 'who was removed is not seeded again')
})

t.test('a users file that changed between two runs is put again', async (t) => {
  const { usersFile, store, start } = open(t)
  store.save(NEWCOMER)
  writeFileSync(usersFile, 'users: {jill: {password: z}}')
  t.same([...start().directory().users.keys()], ['new', 'jill'])
})

t.test('a data file that cannot be used is an error, and stays as it is', async (t) => {
  const { dataFile, start } = open(t)
  writeFileSync(dataFile, '{"version":1,"us')
  t.throws(start, { name: 'DataFileError', message: `${dataFile}: is not JSON; it was left` })
  t.equal(readFileSync(dataFile, 'utf8'), '{"version":1,"us')
})

t.test('what cannot be kept does not come into force', async (t) => {
  const { dataFile, store } = open(t)
  mkdirSync(`${dataFile}.new`)
  t.throws(() => store.save(NEWCOMER), { name: 'DataFileError', message: 'cannot be written' })
  t.equal(store.find('new'), undefined)
  rmSync(`${dataFile}.new`, { recursive: true })
  store.save(NEWCOMER)
  t.ok(store.find('new'))
})
