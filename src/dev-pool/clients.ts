// The dev pool's app clients: who may ask for tokens, how, and where browsers may be sent afterwards. Never a place that is not named.
import { createHash, timingSafeEqual } from 'node:crypto'

export type GrantType = 'authorization_code' | 'client_credentials' | 'refresh_token'

export interface AppClient {
  readonly id: string
  /** Undefined: a public client. */
  readonly secret?: string
  readonly grantTypes: readonly GrantType[]
  /** How long a refresh token works on after it was exchanged; undefined: it is never exchanged for another. */
  readonly rotationGraceMs?: number
}

export interface ClientUrls {
  /** Undefined: any http URL on loopback. */
  readonly callbackUrls?: readonly string[] | undefined
  /** Undefined: any http URL on loopback. */
  readonly logoutUrls?: readonly string[] | undefined
}

export interface Clients {
  find(id: string): AppClient | undefined
  list(): readonly AppClient[]
  /** The URL as it may be put into Location, where it is one of a client's. */
  toCallback(url: string): string | undefined
  toLogoutTarget(url: string): string | undefined
}

/** Signs in by API with a password. */
export const API_CLIENT_ID = '0devclient0000000000000001'
/** Signs browsers in. */
export const WEB_CLIENT_ID = '0devclient000000000000web'
/** Has a secret: for servers, with a user or without. */
export const SERVER_CLIENT_ID = '0devclient000000000000m2m'
/** No secret at all: everybody has this source. */
export const SERVER_CLIENT_SECRET = 'dev-pool-secret-known-to-everybody-000000000000000m2m'

const CLIENTS: readonly AppClient[] = [
  { id: API_CLIENT_ID, grantTypes: ['refresh_token'] },
  {
    id: WEB_CLIENT_ID,
    grantTypes: ['authorization_code', 'refresh_token'],
    rotationGraceMs: 30_000,
  },
  {
    id: SERVER_CLIENT_ID,
    secret: SERVER_CLIENT_SECRET,
    grantTypes: ['authorization_code', 'client_credentials', 'refresh_token'],
  },
]

export function createClients({ callbackUrls, logoutUrls }: ClientUrls = {}): Clients {
  const byId = new Map(CLIENTS.map((client) => [client.id, client]))
  return {
    find: (id) => byId.get(id),
    list: () => CLIENTS,
    toCallback: (url) => toRegistered(url, callbackUrls),
    toLogoutTarget: (url) => toRegistered(url, logoutUrls),
  }
}

/** Whether the secret is this client's; a public client has none to give. */
export function isSecretOf({ secret }: AppClient, given: string | undefined): boolean {
  if (secret === undefined || given === undefined) return secret === given
  return timingSafeEqual(toDigest(secret), toDigest(given))
}

function toDigest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

const LOOPBACK = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Listed URLs are compared character by character (RFC 9700 section 2.1), others by what a browser makes of them. */
function toRegistered(url: string, registered: readonly string[] | undefined): string | undefined {
  if (registered !== undefined) return registered.includes(url) ? url : undefined
  if (!/^[\x21-\x7e]+$/.test(url) || !URL.canParse(url)) return undefined
  const { protocol, hostname, username, password, href } = new URL(url)
  const isPlain = protocol === 'http:' && username === '' && password === ''
  return isPlain && LOOPBACK.test(hostname) && !url.includes('#') ? href : undefined
}
