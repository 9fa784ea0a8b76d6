// What the pool tells of itself and its app clients.
import t from 'tap'
import { refused, startPoolClient } from '../../support/pool-client.ts'

const { sdk, pool, UserPoolId, ClientId } = await startPoolClient(t, 'users: {a: {password: x}}')

t.test('the pool tells its policy and how many users it has', async (t) => {
  t.match((await sdk.describeUserPool({ UserPoolId })).UserPool, {
    Id: UserPoolId,
    EstimatedNumberOfUsers: 1,
    MfaConfiguration: 'OPTIONAL',
    Policies: { PasswordPolicy: { MinimumLength: 8, RequireSymbols: true } },
  })
})

t.test('its clients are listed, and each is described', async (t) => {
  const { UserPoolClients: clients = [] } = await sdk.listUserPoolClients({
    UserPoolId,
    MaxResults: 60,
  })
  const ids = [ClientId, pool.webClientId, pool.serverClient.id]
  t.same(clients.map(({ ClientId: id }) => id).sort(), ids.sort())
  const describe = async (id: string) =>
    (await sdk.describeUserPoolClient({ UserPoolId, ClientId: id })).UserPoolClient
  t.match(await describe(ClientId), { RefreshTokenRotation: { Feature: 'DISABLED' } })
  t.match(await describe(pool.webClientId), {
    AllowedOAuthFlows: ['code'],
    ExplicitAuthFlows: [],
    RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 30 },
  })
  t.match(await describe(pool.serverClient.id), { ClientSecret: pool.serverClient.secret })
  await t.rejects(describe('other'), refused('ResourceNotFoundException'))
})
