// Keeps sessions between requests: what can be asked of whoever does.
import type { Clock } from '../base/clock.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { Session, SessionTokens } from './session.ts'

export type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'ended'; readonly detail: string; readonly cookies: readonly string[] }
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'session'; readonly session: Session; readonly cookies: readonly string[] }

export type Refreshed =
  | { readonly kind: 'refreshed'; readonly tokens: SessionTokens; readonly tokensEndMs: number }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string }

export interface SessionKeeper {
  find(headers: RawHeaders): Found | Promise<Found>
  begin(session: Session): Promise<readonly string[] | { readonly tooLarge: number }>
  end(
    headers: RawHeaders,
  ): Promise<{ readonly session: Session | undefined; readonly cookies: readonly string[] }>
  claim(key: string, ttlMs: number): Promise<boolean>
  close(): Promise<void>
}

export type CreateSessionKeeper = (
  options: { readonly name: string; readonly settings: SessionSettings },
  ports: {
    readonly clock: Clock
    readonly refresh: (session: Session) => Promise<Refreshed>
    readonly changed: (problem: string | undefined) => void
  },
) => SessionKeeper
