// A dev pool with AWS's own client beside it, and what tests ask of both again and again.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AuthenticationResultType,
  CognitoIdentityProvider,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Test } from 'tap'
import { type DevPool, startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'

export interface PoolClient {
  readonly clock: FakeClock
  readonly pool: DevPool
  readonly sdk: CognitoIdentityProvider
  /** Members that most operations want. */
  readonly UserPoolId: string
  readonly ClientId: string
  /** What would have been sent: `NAME: TEXT`. */
  readonly messages: readonly string[]
  signIn(username: string, password: string): Promise<AuthenticationResultType>
  refresh(token: string | undefined): Promise<AuthenticationResultType>
  /** The code that was issued last to a user. */
  code(username: string): string
}

/** Fits the policy. */
export const GOOD_PASSWORD = 'Good-Pass-1'

/** @param users as in a users file */
export async function startPoolClient(t: Test, users = 'users: {}'): Promise<PoolClient> {
  const clock = createFakeClock()
  const usersFile = join(t.testdir(), 'users.yaml')
  writeFileSync(usersFile, users)
  const messages: string[] = []
  const onMessage = (username: string, text: string) => void messages.push(`${username}: ${text}`)
  const pool = await startDevPool({ clock, port: 0, usersFile, onMessage })
  const sdk = new CognitoIdentityProvider({
    endpoint: pool.origin,
    region: 'eu-west-1',
    // Operators' calls are signed by the client; nobody here looks at it.
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  })
  t.teardown(async () => {
    sdk.destroy()
    await pool.stop()
  })
  const { clientId: ClientId, userPoolId: UserPoolId } = pool
  const initiate = async (
    AuthFlow: 'USER_PASSWORD_AUTH' | 'REFRESH_TOKEN_AUTH',
    AuthParameters: Record<string, string>,
  ) => {
    const answer = await sdk.initiateAuth({ ClientId, AuthFlow, AuthParameters })
    if (answer.AuthenticationResult !== undefined) return answer.AuthenticationResult
    throw new Error(`asks for ${answer.ChallengeName}`)
  }
  return {
    clock,
    pool,
    sdk,
    UserPoolId,
    ClientId,
    messages,
    signIn: (USERNAME, PASSWORD) => initiate('USER_PASSWORD_AUTH', { USERNAME, PASSWORD }),
    refresh: (token = '') => initiate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: token }),
    code: (username) => pool.code(username) ?? '',
  }
}

/** What an SDK's error has of a refusal. */
export function refused(name: string, message?: string | RegExp) {
  return message === undefined ? { name } : { name, message }
}
