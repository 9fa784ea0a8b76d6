// New tokens for a session, and a new time of last use: once for all who wait for it, and for all replicas that share a store.
import type { Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Session, SessionTokens } from './session.ts'
import type { Shelf } from './shelf.ts'

export type Refreshed =
  | { readonly kind: 'refreshed'; readonly tokens: SessionTokens; readonly tokensEndMs: number }
  /** The user pool says no: disabled, deleted, signed out, revoked, expired. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It does not answer, or not as it should. */
  | { readonly kind: 'failed'; readonly detail: string }

/** A session that is in use here; every tab and every request of it shares this. */
export interface Live {
  session: Session
  /** The cookie's text that holds it; who comes with an earlier one is sent this one. */
  text: string
  /** Why it is over; undefined while it is not. */
  ended?: string
  /** When the shelf was last asked. */
  askedMs: number
  /** When it was last used, put down or not. */
  usedMs: number
  work?: Promise<void>
  /** No refresh before that. */
  retryMs: number
  readonly backoff: Backoff
}

export interface RenewalPorts {
  readonly clock: Clock
  readonly shelf: Shelf
  /** Never rejects. */
  readonly refresh: (session: Session) => Promise<Refreshed>
  /** How long a session still lasts at most. */
  readonly lifeOf: (session: Session) => number
  readonly forget: (live: Live, why: string) => void
  /** It now has another text. */
  readonly kept: (live: Live) => void
}

/** Each begins what is not under way; `work` of the session ends with it, and never rejects. */
export interface Renewal {
  renew(live: Live): void
  touch(live: Live): void
}

const POLL_MS = 100
const MAX_POLLS = 50

export function createRenewal(ports: RenewalPorts): Renewal {
  const { clock, shelf, forget } = ports

  function work(live: Live, run: () => Promise<void>): void {
    // Whatever goes wrong, the session is what it was, and is tried again later.
    live.work ??= run()
      .catch(() => putOff(live))
      .finally(() => delete live.work)
  }

  function putOff(live: Live): void {
    live.retryMs = clock.now() + live.backoff.nextMs()
  }

  /** Alone among all who share the shelf, and with what it has. */
  async function alone(live: Live, run: () => Promise<void>): Promise<void> {
    const unlock = await shelf.lock(live.session)
    if (unlock === undefined) return waitForOther(live)
    try {
      const isDone = !shelf.isInCookie && (await adopt(live))
      if (!isDone) await run()
    } finally {
      await unlock()
    }
  }

  async function refresh(live: Live): Promise<void> {
    const refreshed = await ports.refresh(live.session)
    if (refreshed.kind === 'refused') {
      forget(live, refreshed.detail)
      await shelf.drop(live.session)
    } else if (refreshed.kind === 'failed') {
      putOff(live)
    } else {
      live.backoff.reset()
      const { tokens, tokensEndMs } = refreshed
      await keep(live, { ...live.session, tokens, tokensEndMs, seenMs: clock.now() })
    }
  }

  /** Another replica has it in hand. */
  async function waitForOther(live: Live): Promise<void> {
    for (let polls = 0; polls < MAX_POLLS; polls++) {
      await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve))
      if (live.ended !== undefined || (await adopt(live))) return
    }
    putOff(live)
  }

  /** Whether the shelf has a newer one, or none any more. */
  async function adopt(live: Live): Promise<boolean> {
    const stored = await shelf.get(live.text)
    live.askedMs = clock.now()
    if (stored === undefined) {
      forget(live, 'signed out elsewhere')
      return true
    }
    const isNewer = stored.tokensEndMs > live.session.tokensEndMs
    if (isNewer || stored.seenMs > live.session.seenMs) live.session = stored
    return isNewer
  }

  async function keep(live: Live, session: Session): Promise<void> {
    const text = await shelf.put(session, live.text, ports.lifeOf(session))
    if (text === undefined) forget(live, 'signed out elsewhere')
    if (text === undefined || live.ended !== undefined) return
    live.session = session
    live.text = text
    ports.kept(live)
  }

  return {
    renew: (live) => work(live, () => alone(live, () => refresh(live))),
    touch(live) {
      work(live, () => alone(live, () => keep(live, { ...live.session, seenMs: clock.now() })))
    },
  }
}
