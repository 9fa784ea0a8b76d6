// Starts and stops the dev pool: a user pool that plays Cognito on loopback, for development and tests and nothing else.
import { createServer } from 'node:http'
import type { Clock } from '../base/clock.ts'
import { listenOn } from '../base/listen.ts'
import { createAccounts } from './accounts.ts'
import { createImportJobs } from './api/import-jobs.ts'
import {
  API_CLIENT_ID,
  createClients,
  SERVER_CLIENT_ID,
  SERVER_CLIENT_SECRET,
  WEB_CLIENT_ID,
} from './clients.ts'
import { createConfirmationCodes } from './confirmation-codes.ts'
import { createIdentities } from './identity/identities.ts'
import {
  DEFAULT_IDENTITY_POOL,
  type IdentityPoolSettings,
} from './identity/identity-pool-settings.ts'
import { createIssuedCredentials, type Issued } from './identity/issued-credentials.ts'
import { createOpenIdTokens } from './identity/open-id-tokens.ts'
import { createBrowsers } from './managed-login/browsers.ts'
import { findProvider } from './managed-login/providers.ts'
import { createAuthorizationCodes } from './oauth/authorization-codes.ts'
import { allScopes } from './oauth/scopes.ts'
import { JWKS_PATH } from './oidc-documents.ts'
import { createPoolHandler, type PoolHandler } from './pool-handler.ts'
import type { PoolParts } from './pool-parts.ts'
import { createPoolKeys } from './pool-keys.ts'
import { createRefreshTokens } from './refresh-tokens.ts'
import { createTokens, type TokenChanges, type TokenUse } from './tokens.ts'
import type { DevUser } from './user.ts'
import { createUserStore } from './user-store.ts'

export interface DevPoolOptions {
  readonly clock: Clock
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Undefined: the built-in users. */
  readonly usersFile?: string | undefined
  /** Where users and groups are kept from one start to the next; undefined: in memory only. */
  readonly dataFile?: string | undefined
  /** Where the app clients may send browsers back to; undefined: any http URL on loopback. */
  readonly callbackUrls?: readonly string[] | undefined
  /** The same after signing out. */
  readonly logoutUrls?: readonly string[] | undefined
  /** How long access and ID tokens live. Default: one hour. */
  readonly tokenSeconds?: number | undefined
  /** What is otherwise with the identity pool than in DEFAULT_IDENTITY_POOL. */
  readonly identityPool?: Partial<IdentityPoolSettings> | undefined
  /** Gets what would be an e-mail or a text message: confirmation codes, temporary passwords. */
  readonly onMessage?: (username: string, text: string) => void
  /** The users file changed: undefined when the new users are in force, or why the former ones stay. */
  readonly onUsersChange?: (problem: string | undefined) => void
  /** A defect of the dev pool itself. */
  readonly onFault?: (error: unknown) => void
}

export interface DevPool {
  readonly userPoolId: string
  /** Signs in by API. */
  readonly clientId: string
  /** Signs browsers in. */
  readonly webClientId: string
  /** For servers, with a user or without. */
  readonly serverClient: { readonly id: string; readonly secret: string }
  readonly issuer: string
  readonly jwksUri: string
  /** Where the user pool API and the managed login answer. */
  readonly origin: string
  /** All that sign-ins can have, as they are now. */
  scopes(): readonly string[]
  /** By name, or by an organisation's identifier. */
  hasProvider(name: string): boolean
  readonly identityPool: DevIdentityPool
  /** The users as they are now. */
  users(): readonly DevUser[]
  /** The latest confirmation code that a user can still use. */
  code(username: string): string | undefined
  /** A token without a sign-in. Rejects for a name that is no user's. */
  mint(username: string, wanted?: MintOptions): Promise<string>
  stop(): Promise<void>
}

/** It answers at the user pool's origin, as STS does. */
export interface DevIdentityPool {
  readonly id: string
  /** What `Logins` call the user pool. */
  readonly loginKey: string
  /** Credentials that were given, for who verifies signatures. */
  find(accessKeyId: string): Issued | undefined
  /** Of a group, as it is now; undefined where it has none. */
  roleOf(group: string): string | undefined
}

export interface MintOptions extends TokenChanges {
  /** Default: access. */
  readonly use?: TokenUse | undefined
}

const USER_POOL_ID = 'local_devpool'

/** @throws UsersFileError, DataFileError; rejects with the system's error when the port is taken */
export async function startDevPool(options: DevPoolOptions): Promise<DevPool> {
  const { clock, onFault = () => {} } = options
  const store = createUserStore({
    clock,
    usersFile: options.usersFile,
    dataFile: options.dataFile,
    onChange: options.onUsersChange ?? (() => {}),
  })
  const { directory } = store
  const keys = await createPoolKeys()
  const server = await startServer(options.port).catch((error) => {
    store.stop()
    throw error
  })
  const issuer = `${server.origin}/${USER_POOL_ID}`
  const tokens = createTokens({
    clock,
    keys,
    issuer,
    directory,
    clientId: API_CLIENT_ID,
    lifeSeconds: options.tokenSeconds,
  })
  const { onMessage: send = () => {} } = options
  const codes = createConfirmationCodes(clock, send)
  const parts: PoolParts = {
    clock,
    store,
    codes,
    accounts: createAccounts({ clock, store, codes }),
    keys,
    tokens,
    refreshTokens: createRefreshTokens(clock),
    issuer,
    clientId: API_CLIENT_ID,
    userPoolId: USER_POOL_ID,
    clients: createClients(options),
    authorizationCodes: createAuthorizationCodes(clock),
    browsers: createBrowsers(clock),
    importJobs: createImportJobs({ clock, store }, server.origin),
    ...createIdentityParts(options),
    send,
  }
  server.handle(createPoolHandler(parts, onFault))

  return {
    userPoolId: USER_POOL_ID,
    clientId: API_CLIENT_ID,
    webClientId: WEB_CLIENT_ID,
    serverClient: { id: SERVER_CLIENT_ID, secret: SERVER_CLIENT_SECRET },
    issuer,
    jwksUri: issuer + JWKS_PATH,
    origin: server.origin,
    scopes: () => allScopes(directory()),
    hasProvider: (name) => findProvider(name) !== undefined,
    identityPool: toDevIdentityPool(parts),
    users: () => [...directory().users.values()],
    code: codes.latest,
    async mint(username, { use = 'access', ...changes } = {}) {
      const user = directory().users.get(username)
      if (user === undefined) throw new Error(`the dev pool has no user ${username}`)
      return tokens.mint(use, user, tokens.signIn(), changes)
    },
    async stop() {
      store.stop()
      await server.stop()
    },
  }
}

function createIdentityParts({ clock, identityPool: given }: DevPoolOptions) {
  const identityPool = { ...DEFAULT_IDENTITY_POOL, ...given }
  return {
    identityPool,
    identities: createIdentities(identityPool.id),
    openIdTokens: createOpenIdTokens(clock, identityPool.id),
    issued: createIssuedCredentials(clock),
  }
}

function toDevIdentityPool({ identityPool: { id }, issued, store }: PoolParts): DevIdentityPool {
  return {
    id,
    loginKey: `cognito-idp.${id.split(':', 1)[0]}.amazonaws.com/${USER_POOL_ID}`,
    find: issued.find,
    roleOf: (group) => store.directory().groups.get(group)?.role,
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
