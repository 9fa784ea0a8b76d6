// Stand-ins for the seal and the session keeper: in memory, and as unwilling as a test wants them.
import { randomBytes } from 'node:crypto'
import { cookiesOf, toExpired, toSetCookie } from '../../src/session/own-cookies.ts'
import type { Seal } from '../../src/session/seal.ts'
import type { Session } from '../../src/session/session.ts'
import type { CreateSessionKeeper } from '../../src/session/session-keeper.ts'

export function createMemorySeal(): Seal {
  const sealed = new Map<string, string>()
  return {
    async seal(purpose, text) {
      const key = randomBytes(16).toString('base64url')
      sealed.set(`${purpose} ${key}`, text)
      return key
    },
    open: async (purpose, key) => sealed.get(`${purpose} ${key}`),
  }
}

export interface KeptSessions {
  readonly create: CreateSessionKeeper
  readonly sessions: Map<string, Session>
  /** What goes wrong from now on. */
  fails?: 'claim' | 'begin' | 'end' | 'find' | 'tooLarge' | undefined
}

export function createKeptSessions(): KeptSessions {
  const sessions = new Map<string, Session>()
  const claimed = new Set<string>()
  const kept: KeptSessions = {
    sessions,
    create: ({ name }) => {
      const cookie = `__Host-poolgate-${name}`
      const idIn = (headers: readonly string[]) =>
        cookiesOf(headers, cookie).find((one) => one.name === cookie)?.value
      const failIf = (step: KeptSessions['fails']) => {
        if (kept.fails === step) throw new Error('the store is down')
      }
      return {
        find(headers) {
          const id = idIn(headers)
          if (kept.fails === 'find') {
            return { kind: 'unavailable', detail: 'the store is down', retryAfterSeconds: 7 }
          }
          if (id === undefined) return { kind: 'none' }
          const session = sessions.get(id)
          return session
            ? { kind: 'session', session, cookies: [] }
            : { kind: 'ended', detail: 'unknown', cookies: [toExpired(cookie)] }
        },
        async begin(session) {
          failIf('begin')
          if (kept.fails === 'tooLarge') return { tooLarge: 17_001 }
          sessions.set(session.id, session)
          return [toSetCookie(cookie, session.id)]
        },
        async end(headers) {
          failIf('end')
          const id = idIn(headers)
          const session = sessions.get(id ?? '')
          sessions.delete(id ?? '')
          return { session, cookies: id === undefined ? [] : [toExpired(cookie)] }
        },
        async claim(key) {
          failIf('claim')
          return !claimed.has(key) && claimed.add(key) !== undefined
        },
        close: async () => undefined,
      }
    },
  }
  return kept
}
