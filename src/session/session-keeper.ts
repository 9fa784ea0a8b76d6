// Finds, renews and ends the session that a request comes with. A session that is known is answered at once; each is renewed once, however
// many requests wait for that. Whatever cannot be told is no session.
import type { Clock } from '../base/clock.ts'
import { createBackoff } from '../base/backoff.ts'
import { createHealthReport } from '../base/health-report.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import type { RawHeaders } from '../http/headers.ts'
import { cookieNameOf } from '../http/own-cookies.ts'
import { createTokenCache } from '../token/token-cache.ts'
import { createSeal } from './seal.ts'
import { createRedisShelf } from './redis-shelf.ts'
import { createRenewal, isNewer, type Live, type Refreshed } from './renewal.ts'
import type { Session } from './session.ts'
import {
  type CookieParts,
  readCookieParts,
  toExpiredCookies,
  toSetCookies,
} from './session-cookie.ts'
import { createCookieShelf, type Shelf, ShelfError } from './shelf.ts'

export type Found =
  /** No cookie of the session. */
  | { readonly kind: 'none' }
  /** It is over, or was none: broken, expired, idle, signed out, refused by the user pool. `cookies` end it in the browser. */
  | { readonly kind: 'ended'; readonly detail: string; readonly cookies: readonly string[] }
  /** Nobody can tell now: the store is down, or the tokens have expired while no new ones can be had. */
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds: number }
  /** `cookies`: Set-Cookie values that the answer has to have; mostly none. */
  | { readonly kind: 'session'; readonly session: Session; readonly cookies: readonly string[] }

export interface SessionKeeper {
  /** At once for a session that was seen lately. */
  find(headers: RawHeaders): Found | Promise<Found>
  /** Set-Cookie values; or how large it would be. */
  begin(session: Session): Promise<readonly string[] | { readonly tooLarge: number }>
  /** The session, so that its tokens can be revoked, and the Set-Cookie values that end it. */
  end(headers: RawHeaders): Promise<Ended>
  /** True once for each key, for all replicas that share the store. */
  claim(key: string, ttlMs: number): Promise<boolean>
  close(): Promise<void>
}

export interface Ended {
  readonly session: Session | undefined
  readonly cookies: readonly string[]
}

/** @param problem undefined once it is well again */
export type SessionsChanged = (
  part: 'store' | 'token endpoint',
  problem: string | undefined,
) => void

export interface SessionKeeperPorts {
  readonly clock: Clock
  /** New tokens for old ones. Never rejects. */
  readonly refresh: (session: Session) => Promise<Refreshed>
  /** What it stands on began to fail, or ceased to. */
  readonly changed: SessionsChanged
}

/** Of a cookie's text; several texts may have been those of one session. */
interface Known {
  readonly text: string
  readonly live: Live
}

const KNOWN = { entries: 10_000, bytes: 128 * 1024 * 1024 }
const MAX_ENDED = 100_000
const UNAVAILABLE_SECONDS = 5

export function createSessionKeeper(
  { name, settings }: { readonly name: string; readonly settings: SessionSettings },
  ports: SessionKeeperPorts,
  bounds = KNOWN,
): SessionKeeper {
  const { clock } = ports
  const cookie = cookieNameOf(name, settings.cookie)
  const shelf = createShelf(name, settings, ports)
  const seenStepMs = toSeenStep(settings.idleMs)
  const renewal = createRenewal({
    clock,
    shelf,
    refresh: createWatchedRefresh(ports),
    lifeOf,
    forget,
    kept(live) {
      if (!Array.isArray(toSetCookies(cookie, live.text, 1))) {
        forget(live, 'it has grown beyond what cookies hold: set store')
      } else know(live.text, live)
    },
  })
  const byText = createTokenCache<Known>(bounds)
  const byId = new Map<string, Live>()
  /** Why each is over that its own times do not end. */
  const endedById = new Map<string, string>()

  function find(headers: RawHeaders): Found | Promise<Found> {
    const parts = readCookieParts(headers, cookie)
    if (parts === undefined) return { kind: 'none' }
    const known = parts.text === undefined ? undefined : byText.get(parts.text)
    if (known === undefined || clock.monotonic() - known.live.askedMs >= shelf.believedMs) {
      return ask(parts).catch(toUnavailable)
    }
    // Its own copy of the text, so that telling whether it is the present one compares no characters.
    return judge(known.live, { text: known.text, names: parts.names })
  }

  function know(text: string, live: Live): void {
    byText.set(text, { text, live })
  }

  async function ask(parts: CookieParts): Promise<Found> {
    const { text } = parts
    const session = text === undefined ? undefined : await shelf.get(text)
    if (text === undefined || session === undefined) {
      const known = text === undefined ? undefined : byText.get(text)
      if (known !== undefined) forget(known.live, 'signed out elsewhere')
      return over('it cannot be read', parts)
    }
    const live = meet(session, text)
    know(text, live)
    return judge(live, parts)
  }

  /** The one that is in use here, brought up to what the shelf has. */
  function meet(session: Session, text: string): Live {
    const known = byId.get(session.id)
    const askedMs = clock.monotonic()
    if (known !== undefined) {
      known.askedMs = askedMs
      if (isNewer(session, known.session)) {
        known.session = session
        known.text = text
      }
      return known
    }
    const live: Live = {
      session,
      text,
      askedMs,
      usedMs: session.seenMs,
      retryMs: 0,
      backoff: createBackoff(Math.random),
    }
    remember(byId, session.id, live, bounds.entries)
    return live
  }

  function judge(live: Live, parts: CookieParts): Found | Promise<Found> {
    const now = clock.now()
    // A former cookie may have another one in use here than the one that was signed out.
    const why = live.ended ?? endedById.get(live.session.id) ?? whyOver(live, now)
    if (why !== undefined) return over(why, parts)
    live.usedMs = now
    const waits = attend(live, now)
    return waits === undefined ? settle(live, parts) : waits.then(() => settle(live, parts))
  }

  /** What has to be waited for: new tokens where the old ones have expired, and the cookie that says that it was used. */
  function attend(live: Live, now: number): Promise<void> | undefined {
    const isExpired = now >= live.session.tokensEndMs
    if (!isExpired && isPutDue(live, now)) {
      const touched = renewal.touch(live)
      return shelf.isInCookie ? touched : undefined
    }
    if (!isRefreshDue(live, now)) return undefined
    const renewed = renewal.renew(live)
    return isExpired ? renewed : undefined
  }

  /** Tokens that have expired are of no use, and nothing more is waited for. */
  function settle(live: Live, parts: CookieParts): Found {
    const now = clock.now()
    if (live.ended !== undefined) return over(live.ended, parts)
    if (now < live.session.tokensEndMs) return answer(live, parts)
    if (live.session.tokens.refresh === undefined) return over('its tokens have expired', parts)
    const retryAfterSeconds = Math.max(1, Math.ceil((live.retryMs - clock.monotonic()) / 1_000))
    return { kind: 'unavailable', detail: 'its tokens cannot be refreshed', retryAfterSeconds }
  }

  function answer({ session, text }: Live, parts: CookieParts): Found {
    if (parts.text === text) return { kind: 'session', session, cookies: [] }
    const cookies = toSetCookies(cookie, text, cookieLifeOf(session), parts.names)
    return { kind: 'session', session, cookies: Array.isArray(cookies) ? cookies : [] }
  }

  function over(detail: string, { names }: CookieParts): Found {
    return { kind: 'ended', detail, cookies: toExpiredCookies(cookie, names) }
  }

  function forget(live: Live, why: string): void {
    live.ended = why
    remember(endedById, live.session.id, why, MAX_ENDED)
    byId.delete(live.session.id)
  }

  function whyOver({ session, usedMs }: Live, now: number): string | undefined {
    if (now >= session.endsMs) return 'its lifetime is over'
    const lastMs = Math.max(usedMs, session.seenMs)
    return now - lastMs >= settings.idleMs ? 'nobody used it for too long' : undefined
  }

  function isRefreshDue({ session, retryMs, renewing }: Live, now: number): boolean {
    const { tokens, tokensEndMs } = session
    if (tokens.refresh === undefined || now < tokensEndMs - settings.refreshBeforeMs) return false
    return renewing !== undefined || clock.monotonic() >= retryMs
  }

  function isPutDue({ session, isOwed }: Live, now: number): boolean {
    return isOwed === true || now - session.seenMs >= seenStepMs
  }

  function lifeOf({ endsMs }: Session): number {
    return Math.min(endsMs - clock.now(), settings.idleMs)
  }

  /** A ticket stays what it is, so the browser is not told of each use. */
  function cookieLifeOf(session: Session): number {
    return shelf.isInCookie ? lifeOf(session) : session.endsMs - clock.now()
  }

  return {
    find,
    async begin(session) {
      const text = await shelf.add(session, lifeOf(session))
      const cookies = toSetCookies(cookie, text, cookieLifeOf(session))
      if (Array.isArray(cookies)) know(text, meet(session, text))
      return cookies
    },
    async end(headers) {
      const parts = readCookieParts(headers, cookie)
      if (parts === undefined) return { session: undefined, cookies: [] }
      const cookies = toExpiredCookies(cookie, parts.names)
      const session = parts.text === undefined ? undefined : await shelf.get(parts.text)
      if (session === undefined || parts.text === undefined) return { session: undefined, cookies }
      const live = meet(session, parts.text)
      forget(live, 'signed out')
      await shelf.drop(live.session)
      return { session: live.session, cookies }
    },
    claim: shelf.claim,
    close: shelf.close,
  }
}

function toUnavailable(error: unknown): Found {
  if (!(error instanceof ShelfError)) throw error
  return { kind: 'unavailable', detail: error.message, retryAfterSeconds: UNAVAILABLE_SECONDS }
}

/** The oldest go first. */
function remember<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const [oldest = ''] = map.keys()
  map.delete(oldest)
}

/** How long it may be used without that being put down: seldom a new cookie, and a session in use never ends for want of one. */
function toSeenStep(idleMs: number): number {
  return Math.max(idleMs / 10, Math.min(60_000, idleMs / 3))
}

function createShelf(
  name: string,
  { store, keys }: SessionSettings,
  { clock, changed }: SessionKeeperPorts,
): Shelf {
  const seal = createSeal(keys)
  if (store === undefined) return createCookieShelf(name, seal, clock)
  return createRedisShelf({ name, store, seal, clock }, (problem) => changed('store', problem))
}

/** Whoever runs the gateway is told of an outage before the first session ends. */
function createWatchedRefresh({ refresh, changed }: SessionKeeperPorts): typeof refresh {
  const report = createHealthReport((problem) => changed('token endpoint', problem))
  return async (session) => {
    const refreshed = await refresh(session)
    if (refreshed.kind === 'failed') report.failed(refreshed.detail)
    else report.worked()
    return refreshed
  }
}
