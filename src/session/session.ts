// What is kept of a browser that has signed in: its tokens, and how long they and it may be used. Never more than that.

/** Those that the routes need, and what gets new ones. */
export interface SessionTokens {
  readonly access?: string | undefined
  readonly id?: string | undefined
  readonly refresh?: string | undefined
}

export type SessionTokenUse = 'access' | 'id'

export interface Session {
  /** Random, 128 bits or more; the same from sign-in to sign-out. */
  readonly id: string
  readonly subject: string
  readonly tokens: SessionTokens
  /** When the first of its tokens ends; milliseconds since the epoch, as all of them. */
  readonly tokensEndMs: number
  readonly createdMs: number
  /** When it was last put down as used, for `idle`. */
  readonly seenMs: number
  /** When the user has to sign in again, whatever happens. */
  readonly endsMs: number
}
