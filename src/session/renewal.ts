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
  /** When the shelf was last asked; by the clock that never steps, as `retryMs` is. */
  askedMs: number
  /** When it was last used, put down or not. */
  usedMs: number
  renewing?: Promise<void>
  touching?: Promise<void>
  /** The shelf did not take what it is now. */
  isOwed?: boolean
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

/** Each begins what is not under way, and neither rejects. */
export interface Renewal {
  renew(live: Live): Promise<void>
  /** Undefined while new tokens are fetched, which puts down the same; once they are there, what is left of that. */
  touch(live: Live): Promise<void> | undefined
}

const POLL_MS = 100
const MAX_POLLS = 50

export function createRenewal(ports: RenewalPorts): Renewal {
  const { clock, shelf, forget } = ports

  function putOff(live: Live): void {
    live.retryMs = clock.monotonic() + live.backoff.nextMs()
  }

  /** With what the shelf has; false while somebody else who shares it has the session in hand. */
  async function alone(live: Live, run: () => Promise<void>): Promise<boolean> {
    const unlock = await shelf.lock(live.session)
    if (unlock === undefined) return false
    try {
      const isDone = !shelf.isInCookie && (await adopt(live))
      if (!isDone) await run()
    } finally {
      await unlock()
    }
    return true
  }

  /** Whoever else has it in hand may bring new tokens, or fail, or only put down that it was used. */
  async function renew(live: Live): Promise<void> {
    await live.touching
    for (let polls = 0; polls < MAX_POLLS && live.ended === undefined; polls++) {
      if (await alone(live, () => refresh(live))) return
      await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve))
    }
    putOff(live)
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

  /** Whether the shelf has newer tokens, or the session no more. */
  async function adopt(live: Live): Promise<boolean> {
    const stored = await shelf.get(live.text)
    live.askedMs = clock.monotonic()
    if (stored === undefined) {
      forget(live, 'signed out elsewhere')
      return true
    }
    const { tokensEndMs } = live.session
    if (isNewer(stored, live.session)) live.session = stored
    return live.session.tokensEndMs > tokensEndMs
  }

  async function keep(live: Live, session: Session): Promise<void> {
    // The user pool may take the former refresh token no more: if the shelf fails now, these are used here, and offered to it again.
    live.session = session
    live.isOwed = true
    const text = await shelf.put(session, live.text, ports.lifeOf(session))
    live.isOwed = false
    if (text === undefined) forget(live, 'signed out elsewhere')
    if (text === undefined || live.ended !== undefined) return
    live.text = text
    ports.kept(live)
  }

  const markUsed = (live: Live) => keep(live, { ...live.session, seenMs: clock.now() })

  return {
    renew(live) {
      // Whatever goes wrong, the session is what it was, and is tried again later.
      live.renewing ??= renew(live)
        .catch(() => putOff(live))
        .finally(() => delete live.renewing)
      return live.renewing
    },
    touch(live) {
      if (live.renewing !== undefined) return live.isOwed === true ? live.renewing : undefined
      live.touching ??= alone(live, () => markUsed(live))
        .then(noop, noop)
        .finally(() => delete live.touching)
      return live.touching
    },
  }
}

/** Has later tokens, or was used later with the same. */
export function isNewer(one: Session, other: Session): boolean {
  return one.tokensEndMs === other.tokensEndMs
    ? one.seenMs > other.seenMs
    : one.tokensEndMs > other.tokensEndMs
}

function noop(): void {}
