// A browser at one of the managed login's pages, and the ways on from there. Redirects carry the authorization request along.
import type { PoolParts } from '../pool-parts.ts'
import { type Answer, redirectTo } from '../endpoint.ts'
import type { AuthorizationRequest } from '../oauth/authorization-request.ts'
import type { Browser, Flash, Pending } from './browsers.ts'

export interface Visit {
  readonly options: PoolParts
  readonly path: string
  /** Undefined: nobody but the user wants something, and no client waits. */
  readonly request: AuthorizationRequest | undefined
  readonly browser: Browser
}

export interface LoginPage {
  show(visit: Visit): Answer
  submit(visit: Visit, form: URLSearchParams): Answer | Promise<Answer>
}

export function toHref(path: string, request: AuthorizationRequest | undefined): string {
  return request === undefined ? path : `${path}?${request.query}`
}

/** After a form: on to another page, with what it needs to know. */
export function moveOn(visit: Visit, path: string, pending?: Pending, flash?: Flash): Answer {
  const { options, browser, request } = visit
  options.browsers.update(browser, { pending, flash })
  return redirectTo(toHref(path, request), 303)
}

/** After a form: the same page again, saying what is wrong. */
export function tryAgain(visit: Visit, flash: Flash): Answer {
  return moveOn(visit, visit.path, visit.browser.pending, flash)
}
