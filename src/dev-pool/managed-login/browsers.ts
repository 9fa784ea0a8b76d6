// What the managed login remembers of each browser, by a cookie: who signed in for an hour, and what is under way. Never a password.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Challenge } from '../sign-in-steps.ts'

/** A sign-in that stands: the next client gets a code without a form. */
export interface Login {
  readonly username: string
  /** Milliseconds since the epoch. */
  readonly signedInMs: number
  readonly acr?: string | undefined
  readonly amr: readonly string[]
  /** Undefined: the pool itself. */
  readonly provider?: string | undefined
}

/** A step that a form is about, between one page and the next. */
export type Pending =
  | { readonly kind: 'reset'; readonly username: string }
  | {
      readonly kind: 'confirm'
      readonly username: string
      /** Where this very browser signed up: when that user was made. */
      readonly signedUpMs?: number
    }
  /** The password was right; something more is asked for. */
  | { readonly kind: 'challenge'; readonly challenge: Challenge }
  | { readonly kind: 'totp-set-up'; readonly secret: string }

/** What the last form has to say on the page that is shown next, once. */
export interface Flash {
  readonly problem?: string
  readonly notice?: string
  /** Which field the problem is about. */
  readonly field?: string
  /** To be filled in again; never a password or a code. */
  readonly values?: Readonly<Record<string, string>>
}

export interface Browser {
  readonly id: string
  /** In every form (against CSRF): known to nobody but the pages of this browser. */
  readonly formToken: string
  readonly endsMs: number
  readonly login?: Login | undefined
  readonly pending?: Pending | undefined
  readonly flash?: Flash | undefined
}

export interface Browsers {
  find(cookies: string | undefined): Browser | undefined
  begin(): Browser
  update(browser: Browser, changes: Pick<Browser, 'pending' | 'flash'>): Browser
  /** The same browser under a new cookie and with a new form token: what was planted before is worth nothing. */
  signIn(browser: Browser, login: Login): Browser
  end(browser: Browser): void
}

const COOKIE = 'poolgate-dev-login'
const LIFE_MS = 3_600_000
const MAX_BROWSERS = 1_000

export function createBrowsers(clock: Clock): Browsers {
  const browsers = new Map<string, Browser>()

  function keep(browser: Browser): Browser {
    browsers.set(browser.id, browser)
    if (browsers.size > MAX_BROWSERS) browsers.delete(browsers.keys().next().value ?? '')
    return browser
  }

  function begin(login?: Login): Browser {
    const [id, formToken] = [randomText(), randomText()]
    return keep({ id, formToken, endsMs: clock.now() + LIFE_MS, login })
  }

  return {
    find(cookies) {
      const [, id = ''] = new RegExp(`(?:^|; ?)${COOKIE}=([\\w-]+)`).exec(cookies ?? '') ?? []
      const browser = browsers.get(id)
      return browser !== undefined && clock.now() < browser.endsMs ? browser : undefined
    },
    begin: () => begin(),
    update: (browser, changes) => keep({ ...browser, ...changes }),
    signIn({ id }, login) {
      browsers.delete(id)
      return begin(login)
    },
    end: ({ id }) => void browsers.delete(id),
  }
}

export function toCookie({ id }: Browser): string {
  return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${LIFE_MS / 1000}`
}

export const NO_COOKIE = `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`

function randomText(): string {
  return randomBytes(32).toString('base64url')
}
