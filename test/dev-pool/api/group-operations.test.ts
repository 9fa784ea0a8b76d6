// Groups by API: made, changed, listed, joined and left; tokens tell at the next refresh.
import { decodeJwt } from 'jose'
import t from 'tap'
import { refused, startPoolClient } from '../../support/pool-client.ts'

const USERS = `
groups: {admins: {role: 'arn:aws:iam::123456789012:role/admin', precedence: 1}}
users:
  jane: {password: Secret-1, groups: [admins]}
  joan: {password: Secret-1}
`
const { sdk, clock, UserPoolId, signIn, refresh } = await startPoolClient(t, USERS)
const group = (GroupName: string) => ({ UserPoolId, GroupName })
const RoleArn = 'arn:aws:iam::123456789012:role/staff'

t.test('a group is made, changed, read and listed', async (t) => {
  const { Group: made } = await sdk.createGroup({ ...group('staff'), Description: 'S', RoleArn })
  t.match(made, { GroupName: 'staff', UserPoolId, Description: 'S', RoleArn })
  t.equal(made?.CreationDate?.getTime(), clock.now())
  t.notHas(made, 'Precedence')
  await sdk.updateGroup({ ...group('staff'), Precedence: 5 })
  t.match((await sdk.getGroup(group('staff'))).Group, { Precedence: 5, Description: 'S', RoleArn })
  const { Groups, NextToken } = await sdk.listGroups({ UserPoolId, Limit: 1 })
  t.match(Groups, [{ GroupName: 'admins', Precedence: 1 }])
  const rest = await sdk.listGroups({ UserPoolId, NextToken })
  t.match(rest.Groups, [{ GroupName: 'staff' }])
  t.notHas(rest, 'NextToken')
})

t.test('a group that is there, not there, or cannot be, is refused', async (t) => {
  await t.rejects(
    sdk.createGroup(group('admins')),
    refused('GroupExistsException', 'A group with the name already exists.'),
  )
  await t.rejects(sdk.createGroup(group('a b')), refused('InvalidParameterException'))
  await t.rejects(
    sdk.createGroup({ ...group('low'), Precedence: -1 }),
    refused('InvalidParameterException', 'Precedence: a whole number from 0'),
  )
  await t.resolves(sdk.createGroup({ ...group('low'), Precedence: 0 }))
  const missing = refused('ResourceNotFoundException', 'Group not found.')
  await t.rejects(sdk.getGroup(group('none')), missing)
  await t.rejects(sdk.deleteGroup(group('none')), missing)
  await t.rejects(sdk.adminAddUserToGroup({ ...group('none'), Username: 'jane' }), missing)
  await t.rejects(
    sdk.adminAddUserToGroup({ ...group('staff'), Username: 'nobody' }),
    refused('UserNotFoundException'),
  )
})

t.test('membership shows in lists, and in tokens from the next refresh', async (t) => {
  const { RefreshToken } = await signIn('joan', 'Secret-1')
  const groupsNow = async () =>
    decodeJwt((await refresh(RefreshToken)).IdToken ?? '')['cognito:groups']
  const joan = { ...group('staff'), Username: 'joan' }
  t.equal(await groupsNow(), undefined)
  await sdk.adminAddUserToGroup(joan)
  await sdk.adminAddUserToGroup(joan)
  t.same(await groupsNow(), ['staff'])
  t.match(decodeJwt((await signIn('joan', 'Secret-1')).IdToken ?? ''), {
    'cognito:roles': [RoleArn],
  })
  t.match(await sdk.listUsersInGroup(group('staff')), { Users: [{ Username: 'joan' }] })
  t.match(await sdk.adminListGroupsForUser({ UserPoolId, Username: 'joan' }), {
    Groups: [{ GroupName: 'staff' }],
  })
  await sdk.adminRemoveUserFromGroup(joan)
  t.equal(await groupsNow(), undefined)
  t.same((await sdk.listUsersInGroup(group('staff'))).Users, [])
})

t.test('with a group its memberships go', async (t) => {
  await sdk.deleteGroup(group('admins'))
  t.same((await sdk.adminListGroupsForUser({ UserPoolId, Username: 'jane' })).Groups, [])
})
