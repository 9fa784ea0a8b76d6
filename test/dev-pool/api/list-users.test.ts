// ListUsers: what filters find, what they refuse, and pages that lose and repeat nobody.
import t from 'tap'
import { isApiError } from '../../../src/dev-pool/api-error.ts'
import { parseFilter } from '../../../src/dev-pool/api/list-users.ts'
import { parseUsersFile } from '../../../src/dev-pool/users-file.ts'
import { refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
users:
  ann: {password: x, attributes: {email: ann@example.com, given_name: Ann "A", phone_number: '+49123'}}
  anton: {password: x, enabled: false, attributes: {email: anton@example.org}}
  bob: {password: x, sub: s-bob, attributes: {custom:n: '1'}}
`
const users = [...parseUsersFile(USERS, 'u.yaml').users.values()]

function find(filter: unknown): readonly string[] | string {
  const matches = parseFilter(filter)
  if (isApiError(matches)) return matches.message
  return users.filter(matches).map(({ username }) => username)
}

t.test('a filter compares one attribute, whole or by its beginning', async (t) => {
  for (const [filter, names] of [
    [undefined, ['ann', 'anton', 'bob']],
    ['', ['ann', 'anton', 'bob']],
    ['username = "ann"', ['ann']],
    ['username ^= "an"', ['ann', 'anton']],
    ['"username"="ann"', ['ann']],
    ['email = "anton@example.org"', ['anton']],
    ['email ^= "ann@"', ['ann']],
    ['email = "ann@"', []],
    ['phone_number ^= "+49"', ['ann']],
    ['given_name = "Ann \\"A\\""', ['ann']],
    ['sub = "s-bob"', ['bob']],
    ['status = "Disabled"', ['anton']],
    ['status = "Enabled"', ['ann', 'bob']],
    ['cognito:user_status = "CONFIRMED"', ['ann', 'anton', 'bob']],
    ['username = "ANN"', []],
  ] as const) {
    t.same(find(filter), names, String(filter))
  }
})

t.test('a filter that says something else is refused', async (t) => {
  for (const filter of ['ann', 'username', 'username = ann', 'username = "a" or "b"', 7]) {
    t.equal(find(filter), 'Error while parsing filter', String(filter))
  }
  for (const name of ['custom:n', 'toString', 'password', 'email_verified']) {
    t.equal(find(`${name} = "1"`), `Cannot search by ${name}`)
  }
})

t.test('pages go through all users once, whoever comes and goes', async (t) => {
  const { sdk, UserPoolId } = await startPoolClient(t, USERS)
  const first = await sdk.listUsers({ UserPoolId, Limit: 2 })
  t.same(
    first.Users?.map(({ Username }) => Username),
    ['ann', 'anton'],
  )
  await sdk.adminDeleteUser({ UserPoolId, Username: 'anton' })
  const { PaginationToken } = first
  const second = await sdk.listUsers({ UserPoolId, Limit: 2, PaginationToken })
  t.match(second, { Users: [{ Username: 'bob', Enabled: true, UserStatus: 'CONFIRMED' }] })
  t.notHas(second, 'PaginationToken')
  const all = await sdk.listUsers({ UserPoolId, AttributesToGet: ['sub'], Filter: 'sub = "s-bob"' })
  t.same(all.Users?.[0]?.Attributes, [{ Name: 'sub', Value: 's-bob' }])
  t.equal((await sdk.listUsers({ UserPoolId, Limit: 60 })).Users?.length, 2)
  t.equal((await sdk.listUsers({ UserPoolId, Limit: 0 })).Users?.length, 2, '0 is no limit')
  await t.rejects(
    sdk.listUsers({ UserPoolId, Limit: 61 }),
    refused('InvalidParameterException', /0 to 60$/),
  )
  await t.rejects(
    sdk.listUsers({ UserPoolId, PaginationToken: '%' }),
    refused('InvalidParameterException', 'Invalid pagination token'),
  )
  await t.rejects(
    sdk.listUsers({ UserPoolId, Filter: 'x' }),
    refused('InvalidParameterException', 'Error while parsing filter'),
  )
})
