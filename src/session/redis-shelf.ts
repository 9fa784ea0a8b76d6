// Sessions in a Valkey or Redis that replicas share: the cookie holds a sealed ticket, the store holds the sealed session under its hash.
// Who can read the store alone learns nothing, and whoever cannot reach it lets nobody in.
import { createHash, randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { createHealthReport, type HealthReport } from '../base/health-report.ts'
import type { Clock } from '../base/clock.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'
import { parseSession, toSessionText } from './session-text.ts'
import { type Shelf, ShelfError } from './shelf.ts'

type Client = Redis | Cluster

interface RedisShelfOptions {
  readonly name: string
  readonly store: NonNullable<SessionSettings['store']>
  readonly seal: Seal
  readonly clock: Clock
}

const CONNECT_MS = 1_000
const COMMAND_MS = 1_000
const LAST_RECONNECT_MS = 2_000
const LOCK_MS = 10_000
const BELIEVED_MS = 5_000

/** Gives a lock back that is still one's own. */
const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`

/** @param changed the store began or ceased to fail */
export function createRedisShelf(
  { name, store, seal, clock }: RedisShelfOptions,
  changed: (problem: string | undefined) => void,
): Shelf {
  const report = createHealthReport(changed)
  const client = connect(store, report)
  client.catch((error: unknown) => report.failed(toProblem(error)))
  const ticket = `ticket ${name}`
  const content = `session ${name}`
  const keyOf = (kind: string, text: string) =>
    `${store.prefix}${kind}:${name}:${createHash('sha256').update(text).digest('base64url')}`

  async function ask<T>(command: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await within(clock, client.then(command))
    } catch (error) {
      report.failed(toProblem(error))
      throw new ShelfError('the session store cannot be reached')
    }
  }

  async function write(session: Session, ttlMs: number, only?: 'XX'): Promise<boolean> {
    const key = keyOf('session', session.id)
    const sealed = await seal.seal(content, toSessionText(session))
    const px = Math.max(1, Math.ceil(ttlMs))
    const set = await ask((redis) =>
      only === undefined
        ? redis.set(key, sealed, 'PX', px)
        : redis.set(key, sealed, 'PX', px, only),
    )
    report.worked()
    return set === 'OK'
  }

  return {
    believedMs: BELIEVED_MS,
    isInCookie: false,
    async add(session, ttlMs) {
      await write(session, ttlMs)
      return seal.seal(ticket, session.id)
    },
    // Never what was signed out meanwhile.
    put: async (session, text, ttlMs) => ((await write(session, ttlMs, 'XX')) ? text : undefined),
    async get(text) {
      const id = await seal.open(ticket, text)
      if (id === undefined) return undefined
      const sealed = await ask((redis) => redis.get(keyOf('session', id)))
      const opened = sealed === null ? undefined : await seal.open(content, sealed)
      const session = opened === undefined ? undefined : parseSession(opened)
      return session?.id === id ? session : undefined
    },
    async drop({ id }: Session) {
      await ask((redis) => redis.del(keyOf('session', id)))
    },
    async claim(key, ttlMs) {
      const set = await ask((redis) => redis.set(keyOf('claim', key), '1', 'PX', ttlMs, 'NX'))
      return set === 'OK'
    },
    async lock({ id }) {
      const key = keyOf('lock', id)
      const owner = randomUUID()
      const set = await ask((redis) => redis.set(key, owner, 'PX', LOCK_MS, 'NX'))
      if (set !== 'OK') return undefined
      return async () => void (await ask((redis) => redis.eval(UNLOCK, 1, key, owner)))
    },
    async close() {
      const redis = await client.catch(() => undefined)
      redis?.disconnect()
    },
  }
}

/** Loaded only where there is a store. */
async function connect(
  { url, cluster }: RedisShelfOptions['store'],
  report: HealthReport,
): Promise<Client> {
  const { Cluster, Redis } = await import('ioredis')
  const options = {
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    // What does not answer one command is left, so that the next connection tells when it is well again.
    socketTimeout: COMMAND_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => Math.min(LAST_RECONNECT_MS, 100 * 2 ** attempt),
  }
  const client =
    url === undefined
      ? new Cluster([...(cluster ?? [])], {
          redisOptions: { ...options, ...toNodeOptions(cluster ?? []) },
          clusterRetryStrategy: options.retryStrategy,
          slotsRefreshTimeout: CONNECT_MS,
          // It would hold commands for as long as no node answers.
          enableOfflineQueue: false,
        })
      : new Redis(url, options)
  client.on('error', (error) => report.failed(toProblem(error)))
  client.on('ready', report.worked)
  await new Promise<void>((resolve) => void client.once('ready', resolve).once('error', resolve))
  return client
}

/** Of a node's URL a cluster reads host and port alone, and the nodes that it finds have none: TLS and credentials are those of all. */
function toNodeOptions(nodes: readonly string[]) {
  const [{ protocol, username, password }] = nodes.map((node) => new URL(node)) as [URL]
  return {
    ...(protocol === 'rediss:' && { tls: {} }),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  }
}

/** Rejects when there is no answer in time: a cluster's own tries may take longer than each of its commands. */
function within<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(COMMAND_MS, () => reject(new Error('no answer in time')))
    answer.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Of what it says itself only the code: the rest may hold the address with its password. */
function toProblem(error: unknown): string {
  const { name, message } = error as Error
  const [code] = (name === 'ReplyError' && /^[A-Z]+/.exec(message)) || []
  return code === undefined ? 'it does not answer' : `it refuses commands: ${code}`
}
