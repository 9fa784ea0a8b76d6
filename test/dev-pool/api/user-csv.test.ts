// CSV files of users: which lines are taken in, which are not, and files that are refused whole.
import t from 'tap'
import { importUsers, toCsvHeader } from '../../../src/dev-pool/api/user-csv.ts'
import { createUserStore } from '../../../src/dev-pool/user-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const HEADER =
  'cognito:username,cognito:mfa_enabled,email,email_verified,phone_number,phone_number_verified,name,custom:n'
const open = () => createUserStore({ clock: createFakeClock(), onChange: () => {} })
const run = (lines: string, header = HEADER, store = open()) => {
  const counts = importUsers(store, `${header}\n${lines}`)
  return { counts, store }
}

t.test('a user is taken in with what the line says, and no password', async (t) => {
  const { counts, store } = run('ann,false,ann@example.com,TRUE,,,"Ann, A.",7')
  t.same(counts, { imported: 1, skipped: 0, failed: 0 })
  t.match(store.find('ann@example.com'), {
    username: 'ann',
    status: 'RESET_REQUIRED',
    password: undefined,
    attributes: {
      email: 'ann@example.com',
      email_verified: true,
      name: 'Ann, A.',
      'custom:n': '7',
    },
  })
})

t.test('columns come in any order, with any end of line', async (t) => {
  const header = '\uFEFFemail, email_verified ,cognito:mfa_enabled,cognito:username'
  t.same(run('a@b.c,true,true,ann\r\nb@b.c,true,true,bob\r\n', header).counts, {
    imported: 2,
    skipped: 0,
    failed: 0,
  })
})

t.test('each bad line is counted, and the others are taken in', async (t) => {
  const bad = [
    ',false,a@b.c,true,,,,',
    'two words,false,a@b.c,true,,,,',
    'ann,,a@b.c,true,,,,',
    'ann,maybe,a@b.c,true,,,,',
    'ann,false,a@b.c,false,,,,',
    'ann,false,,true,,,,',
    'ann,false,none,true,,,,',
    'ann,false,a@b.c,perhaps,,,,',
    'ann,false,,,0123,true,,',
    'ann,false,a@b.c,true',
    'ann,false,a@b.c,true,,,,,',
    'ann,false,admin@example.com,true,,,,',
  ]
  for (const line of bad) {
    t.same(run(line).counts, { imported: 0, skipped: 0, failed: 1 }, line)
    t.same(run(`${line}\nbob,false,,,+49123,true,,`).counts, { imported: 1, skipped: 0, failed: 1 })
  }
})

t.test('who is there already is skipped; two lines of one name are not two users', async (t) => {
  const { counts, store } = run(
    'admin,false,other@example.com,true,,,,\nann,false,a@b.c,true,,,A,\nann,false,b@b.c,true,,,B,\nbob,false,A@B.C,true,,,,',
  )
  t.same(counts, { imported: 1, skipped: 2, failed: 1 })
  t.match(store.find('admin'), { status: 'CONFIRMED' })
  t.match(store.find('ann'), { attributes: { name: 'A' } })
})

t.test('a file that cannot be read is refused whole', async (t) => {
  t.equal(
    run('ann,true', 'cognito:username,name').counts,
    'The header of the CSV file has no cognito:mfa_enabled.',
  )
  t.equal(
    run('', 'cognito:mfa_enabled').counts,
    'The header of the CSV file has no cognito:username.',
  )
  t.equal(importUsers(open(), ''), 'The header of the CSV file has no cognito:username.')
  t.equal(run('', `${HEADER},email`).counts, 'The header of the CSV file names one twice.')
  t.match(run('"ann,true').counts, /^The CSV file cannot be read: /)
})

t.test(
  'the header has every attribute, custom ones too, and what Cognito has beside them',
  async (t) => {
    const header = toCsvHeader(['custom:n'])
    t.same(header.slice(-3), ['custom:n', 'cognito:mfa_enabled', 'cognito:username'])
    for (const name of ['name', 'email', 'email_verified', 'phone_number_verified', 'address']) {
      t.ok(header.includes(name), name)
    }
    t.same(run('', header.join(',')).counts, { imported: 0, skipped: 0, failed: 0 })
  },
)
