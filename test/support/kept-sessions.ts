// The session keeper as it is, watched, and as unwilling as a test wants it.
import type { Session } from '../../src/session/session.ts'
import { createSessionKeeper } from '../../src/session/session-keeper.ts'
import { ShelfError } from '../../src/session/shelf.ts'

export interface KeptSessions {
  readonly create: typeof createSessionKeeper
  /** Those that have begun and not been ended, by id. */
  readonly sessions: Map<string, Session>
  /** What goes wrong from now on. */
  fails?: 'claim' | 'begin' | 'end' | 'find' | undefined
}

export function createKeptSessions(): KeptSessions {
  const sessions = new Map<string, Session>()
  const failIf = (step: KeptSessions['fails']) => {
    if (kept.fails === step) throw new ShelfError('the store is down')
  }
  const kept: KeptSessions = {
    sessions,
    create(options, ports) {
      const keeper = createSessionKeeper(options, ports)
      return {
        ...keeper,
        find(headers) {
          if (kept.fails !== 'find') return keeper.find(headers)
          return { kind: 'unavailable', detail: 'the store is down', retryAfterSeconds: 7 }
        },
        async begin(session) {
          failIf('begin')
          const begun = await keeper.begin(session)
          if (!('tooLarge' in begun)) sessions.set(session.id, session)
          return begun
        },
        async end(headers) {
          failIf('end')
          const ended = await keeper.end(headers)
          if (ended.session !== undefined) sessions.delete(ended.session.id)
          return ended
        },
        async claim(key, ttlMs) {
          failIf('claim')
          return keeper.claim(key, ttlMs)
        },
      }
    },
  }
  return kept
}
