// The users file as it changes: good changes apply, bad ones are told once and change nothing.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createUsers } from '../../src/dev-pool/users.ts'
import { UsersFileError } from '../../src/dev-pool/users-file.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const JANE = 'users: {jane: {password: x}}'

function watch(t: Test) {
  const clock = createFakeClock()
  const file = join(t.testdir({ 'u.yaml': JANE }), 'u.yaml')
  const told: (string | undefined)[] = []
  const users = createUsers({ clock, file, onChange: (problem) => told.push(problem) })
  const names = () => [...users.current().users.keys()]
  return { clock, file, told, users, names }
}

t.test('without a file the built-in users are there and nothing is watched', async (t) => {
  const clock = createFakeClock()
  const users = createUsers({ clock, onChange: () => t.fail('nothing changes') })
  t.equal(users.current().users.size, 3)
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
  t.throws(() => createUsers({ clock, file: bad, onChange }), UsersFileError)
  t.throws(() => createUsers({ clock, file: `${bad}.not`, onChange }), {
    message: `${bad}.not:1:1: cannot be read (ENOENT)`,
  })
  t.equal(clock.pending(), 0)
})
