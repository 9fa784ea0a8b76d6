// Starts and stops the dev pool: a user pool that plays Cognito on loopback, for development and tests and nothing else.
import { createServer } from 'node:http'
import type { Clock } from '../base/clock.ts'
import { listenOn } from '../base/listen.ts'
import { JWKS_PATH } from './oidc-documents.ts'
import { createPoolHandler, type PoolHandler } from './pool-handler.ts'
import { createPoolKeys } from './pool-keys.ts'
import { createRefreshTokens } from './refresh-tokens.ts'
import { createTokens, type TokenChanges, type TokenUse } from './tokens.ts'
import type { DevUser } from './user.ts'
import { createUsers } from './users.ts'

export interface DevPoolOptions {
  readonly clock: Clock
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Undefined: the built-in users. */
  readonly usersFile?: string | undefined
  /** The users file changed: undefined when the new users are in force, or why the former ones stay. */
  readonly onUsersChange?: (problem: string | undefined) => void
  /** A defect of the dev pool itself. */
  readonly onFault?: (error: unknown) => void
}

export interface DevPool {
  readonly userPoolId: string
  readonly clientId: string
  readonly issuer: string
  readonly jwksUri: string
  /** Where the user pool API answers. */
  readonly origin: string
  /** The users as they are now. */
  users(): readonly DevUser[]
  /** A token without a sign-in. Rejects for a name that is no user's. */
  mint(username: string, wanted?: MintOptions): Promise<string>
  stop(): Promise<void>
}

export interface MintOptions extends TokenChanges {
  /** Default: access. */
  readonly use?: TokenUse | undefined
}

const USER_POOL_ID = 'local_devpool'
const CLIENT_ID = '0devclient0000000000000001'

/** @throws UsersFileError; rejects with the system's error when the port is taken */
export async function startDevPool(options: DevPoolOptions): Promise<DevPool> {
  const { clock, onFault = () => {} } = options
  const users = createUsers({
    clock,
    file: options.usersFile,
    onChange: options.onUsersChange ?? (() => {}),
  })
  const directory = users.current
  const keys = await createPoolKeys()
  const server = await startServer(options.port).catch((error) => {
    users.stop()
    throw error
  })
  const issuer = `${server.origin}/${USER_POOL_ID}`
  const tokens = createTokens({ clock, keys, issuer, clientId: CLIENT_ID, directory })
  const refreshTokens = createRefreshTokens(clock)
  const api = { clock, issuer, clientId: CLIENT_ID, keys, tokens, refreshTokens, directory }
  server.handle(createPoolHandler(api, onFault))

  return {
    userPoolId: USER_POOL_ID,
    clientId: CLIENT_ID,
    issuer,
    jwksUri: issuer + JWKS_PATH,
    origin: server.origin,
    users: () => [...directory().users.values()],
    async mint(username, { use = 'access', ...changes } = {}) {
      const user = directory().users.get(username)
      if (user === undefined) throw new Error(`the dev pool has no user ${username}`)
      return tokens.mint(use, user, tokens.signIn(), changes)
    },
    async stop() {
      users.stop()
      await server.stop()
    },
  }
}

/** The issuer holds the port, so the server listens before there is anything to answer with. */
async function startServer(port: number) {
  let handler: PoolHandler = (_, response) => void response.writeHead(503).end()
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    (request, response) => handler(request, response),
  )
  const address = await listenOn(server, { kind: 'tcp', host: '127.0.0.1', port })
  return {
    origin: `http://${address}`,
    handle(next: PoolHandler) {
      handler = next
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
