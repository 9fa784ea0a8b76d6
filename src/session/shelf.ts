// Where sessions are kept: in the browser's own cookie, or in a store that replicas share and the cookie only names. One way of asking.
import type { Clock } from '../base/clock.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'
import { parseSession, toSessionText } from './session-text.ts'

/** What every method rejects with when what it stands on cannot be reached. */
export class ShelfError extends Error {
  override readonly name = 'ShelfError'
}

export interface Shelf {
  /** The cookie's text by which it is found again. */
  add(session: Session, ttlMs: number): Promise<string>
  /** The same of a session that was found before; undefined where it is gone. @param text the one that it had */
  put(session: Session, text: string, ttlMs: number): Promise<string | undefined>
  get(text: string): Promise<Session | undefined>
  drop(session: Session): Promise<void>
  /** True once for each key, for everybody who shares the shelf. */
  claim(key: string, ttlMs: number): Promise<boolean>
  /** Undefined while somebody else has it; what is answered gives it back. */
  lock(session: Session): Promise<(() => Promise<void>) | undefined>
  /** Milliseconds that a session may be believed without asking again. */
  readonly believedMs: number
  /** Whether the cookie is the session, so that the browser has to be told of every change. */
  readonly isInCookie: boolean
  close(): Promise<void>
}

const MAX_CLAIMS = 100_000

export function createCookieShelf(name: string, seal: Seal, clock: Clock): Shelf {
  const purpose = `session ${name}`
  const write = (session: Session) => seal.seal(purpose, toSessionText(session))
  return {
    add: write,
    put: write,
    async get(text) {
      const opened = await seal.open(purpose, text)
      return opened === undefined ? undefined : parseSession(opened)
    },
    drop: async () => undefined,
    claim: createClaims(clock),
    lock: async () => async () => undefined,
    believedMs: Number.POSITIVE_INFINITY,
    isInCookie: true,
    close: async () => undefined,
  }
}

/** Keys of this process alone; the oldest go first once there are too many. */
function createClaims(clock: Clock): Shelf['claim'] {
  const untilByKey = new Map<string, number>()
  return async (key, ttlMs) => {
    const now = clock.monotonic()
    const until = untilByKey.get(key)
    if (until !== undefined && now < until) return false
    for (const [old, end] of untilByKey) {
      if (now < end && untilByKey.size < MAX_CLAIMS) break
      untilByKey.delete(old)
    }
    untilByKey.set(key, now + ttlMs)
    return true
  }
}
