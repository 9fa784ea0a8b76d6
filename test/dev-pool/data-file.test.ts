// The data file: what is written is read again, and nothing that is not right is taken for it.
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readDataFile, writeDataFile } from '../../src/dev-pool/data-file.ts'
import type { UserState } from '../../src/dev-pool/user-state.ts'

const USER = {
  username: 'ann',
  sub: 's',
  enabled: true,
  status: 'CONFIRMED',
  password: 'p',
  groups: ['g'],
  scopes: [],
  attributes: { email: 'a@b.c', email_verified: true },
  createdMs: 1,
  modifiedMs: 2,
} as const
const STATE: UserState = {
  users: new Map([['ann', USER]]),
  groups: new Map([['g', { precedence: 1, createdMs: 1, modifiedMs: 1 }]]),
  seed: { digest: 'd', users: ['ann'], groups: [] },
}

function written(t: Test) {
  const file = join(t.testdir(), 'data.json')
  writeDataFile(file, STATE)
  return { file, value: JSON.parse(readFileSync(file, 'utf8')) }
}

t.test('what is written is read again', async (t) => {
  const { file } = written(t)
  t.strictSame(readDataFile(file), STATE)
  t.notOk(existsSync(`${file}.new`))
  t.equal(readDataFile(`${file}.not`), undefined)
})

t.test('whatever is not right is told with its place', async (t) => {
  const { file, value } = written(t)
  const user = value.users[0]
  const group = value.groups[0]
  const cases: [unknown, string][] = [
    [[], 'is not a JSON object'],
    [{ ...value, version: 2 }, 'version: expected 1'],
    [{ ...value, seed: undefined }, 'seed: expected an object'],
    [{ ...value, seed: { ...value.seed, users: [1] } }, 'seed.users: not what it should be'],
    [{ ...value, users: {} }, 'users: expected a list'],
    [{ ...value, users: [user, 1] }, 'users[1]: expected an object'],
    [{ ...value, users: [{ ...user, enabled: 'yes' }] }, 'users[0].enabled: not what it should be'],
    [{ ...value, users: [{ ...user, status: 'NEW' }] }, 'users[0].status: not what it should be'],
    [
      { ...value, users: [{ ...user, signedOutMs: '1' }] },
      'users[0].signedOutMs: not what it should be',
    ],
    [
      { ...value, users: [{ ...user, attributes: { a: 1 } }] },
      'users[0].attributes: not what it should be',
    ],
    [
      { ...value, groups: [{ ...group, precedence: null }] },
      'groups[0].precedence: not what it should be',
    ],
  ]
  for (const [bad, problem] of cases) {
    writeFileSync(file, JSON.stringify(bad))
    const message = `${file}: ${problem}; it was left as it is: mend it, or move it away to begin anew`
    t.throws(() => readDataFile(file), { name: 'DataFileError', message })
  }
})

t.test('a file that cannot be read or written is an error', async (t) => {
  const dir = t.testdir()
  t.throws(() => readDataFile(dir), { message: `${dir}: cannot be read (EISDIR)` })
  const file = join(dir, 'none', 'data.json')
  t.throws(() => writeDataFile(file, STATE), { message: `${file}: cannot be written (ENOENT)` })
})

t.test('nothing is written through a link that lies in wait', async (t) => {
  const { file } = written(t)
  const other = join(t.testdirName, 'other')
  writeFileSync(other, 'kept')
  symlinkSync(other, `${file}.new`)
  writeDataFile(file, STATE)
  t.equal(readFileSync(other, 'utf8'), 'kept')
  t.strictSame(readDataFile(file), STATE)
})
