// Tokens that nobody here made: another project's Cognito, spoken to with the official client, signs users in for the gateway.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { eventually } from '../support/eventually.ts'
import { realClock } from '../support/real-clock.ts'
import { startUpstreamServer } from '../support/upstream-server.ts'

const PASSWORD = 'Correct-horse-1'

/** Where it listens; undefined when it cannot be started here. */
async function startCognitoLocal(t: Test): Promise<string | undefined> {
  const start = createRequire(import.meta.url).resolve('cognito-local/lib/bin/start.js')
  const child = spawn(process.execPath, [start], {
    cwd: t.testdir({}),
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  t.teardown(() => {
    child.kill('SIGKILL')
    return ended
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const isOver = () => child.exitCode !== null
  await eventually('cognito-local', () => isOver() || /running on \S+/.test(text), 20_000)
  return /running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1]
}

interface Tokens {
  readonly access: string
  readonly id: string
}

/** A pool with one app client, two users, and one of them in `admins`. */
async function createPool(endpoint: string) {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const cognito = new CognitoIdentityProviderClient({ endpoint, region: 'local', credentials })
  const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: 'test' }))
  const UserPoolId = UserPool?.Id ?? ''
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'app',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
    }),
  )
  const ClientId = UserPoolClient?.ClientId ?? ''
  await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName: 'admins' }))
  const signUp = async (name: string): Promise<Tokens> => {
    const Username = `${name}@example.com`
    await cognito.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username,
        TemporaryPassword: PASSWORD,
        MessageAction: 'SUPPRESS',
        UserAttributes: [{ Name: 'email', Value: Username }],
      }),
    )
    if (name === 'ada') {
      const GroupName = 'admins'
      await cognito.send(new AdminAddUserToGroupCommand({ UserPoolId, Username, GroupName }))
    }
    return signIn(cognito, ClientId, Username)
  }
  const ada = await signUp('ada')
  const bob = await signUp('bob')
  cognito.destroy()
  return { userPoolId: UserPoolId, clientId: ClientId, ada, bob }
}

/** With the temporary password, and the new one that it asks for. */
async function signIn(
  cognito: CognitoIdentityProviderClient,
  ClientId: string,
  USERNAME: string,
): Promise<Tokens> {
  const { ChallengeName, Session, ...rest } = await cognito.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME, PASSWORD },
    }),
  )
  const { AuthenticationResult: tokens } =
    ChallengeName === 'NEW_PASSWORD_REQUIRED'
      ? await cognito.send(
          new RespondToAuthChallengeCommand({
            ClientId,
            ChallengeName,
            Session,
            ChallengeResponses: { USERNAME, NEW_PASSWORD: `${PASSWORD}2` },
          }),
        )
      : rest
  return { access: tokens?.AccessToken ?? '', id: tokens?.IdToken ?? '' }
}

function issuerOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).iss
}

t.test('tokens of another Cognito are judged as those of AWS are', async (t) => {
  const endpoint = await startCognitoLocal(t)
  if (endpoint === undefined) return t.plan(0, 'cognito-local does not start here')
  const { userPoolId, clientId, ada, bob } = await createPool(endpoint)
  const upstream = await startUpstreamServer()
  const config = `version: 1
listen: 127.0.0.1:0
admin: none
userPools:
  main:
    userPoolId: ${userPoolId}
    clientIds: [${clientId}]
    issuer: ${issuerOf(ada.access)}
    jwksUri: ${endpoint}/${userPoolId}/.well-known/jwks.json
upstreams:
  up: {targets: ['${upstream.origin}']}
routes:
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
`
  const gateway = createGateway(loadConfig(config, 'test.yaml', {}), {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: () => undefined },
  })
  const { origin } = await gateway.start()
  t.teardown(async () => {
    const stopping = gateway.stop()
    void gateway.stop()
    await stopping
    await upstream.close()
  })
  const call = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${origin}/admin/x`, { headers })
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
  }

  const claims = JSON.parse(Buffer.from(ada.access.split('.')[1] ?? '', 'base64url').toString())
  t.match(await call(ada.access), {
    status: 200,
    headers: {
      'x-auth-subject': claims.sub,
      'x-auth-username': claims.username,
      'x-auth-groups': 'admins',
      'x-auth-client-id': clientId,
      'x-auth-scopes': 'aws.cognito.signin.user.admin',
      'x-auth-token-use': 'access',
    },
  })
  t.match(await call(bob.access), { status: 403, reason: 'group_missing' })
  t.match(await call(ada.id), { status: 401, reason: 'token_use' })
  const [header, payload, signature] = ada.access.split('.')
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url')
  t.match(await call(`${header}.${forged}.${signature}`), {
    status: 401,
    reason: 'token_signature',
  })
  t.match(await call(`${header}.${payload}.`), { status: 401 })
})
