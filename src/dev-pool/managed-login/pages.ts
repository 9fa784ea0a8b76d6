// The managed login: its paths, and what holds for every page. No form is taken that this browser was not given.
import type { PoolParts } from '../pool-parts.ts'
import { timingSafeEqual } from 'node:crypto'
import {
  type Answer,
  type Endpoint,
  type Endpoints,
  type PoolRequest,
  redirectTo,
} from '../endpoint.ts'
import { parseAuthorizationRequest } from '../oauth/authorization-request.ts'
import { answerAuthorize } from './authorize-endpoint.ts'
import { type Browser, toCookie } from './browsers.ts'
import { CHANGE_PASSWORD_PAGE } from './change-password-page.ts'
import { toErrorPage } from './error-page.ts'
import { FORGOT_PASSWORD_PAGE, RESET_PASSWORD_PAGE } from './forgot-password-page.ts'
import { answerLogout } from './logout-endpoint.ts'
import { MFA_PAGE } from './mfa-page.ts'
import { PROVIDER_PAGE } from './provider-page.ts'
import { findProvider } from './providers.ts'
import { PROVIDER_PATH, SIGN_IN_PAGE } from './sign-in-page.ts'
import { CONFIRM_PAGE, SIGN_UP_PAGE } from './sign-up-page.ts'
import type { LoginPage, Visit } from './visit.ts'

const PAGES: ReadonlyMap<string, LoginPage> = new Map([
  ['/login', SIGN_IN_PAGE],
  ['/signup', SIGN_UP_PAGE],
  ['/confirm', CONFIRM_PAGE],
  ['/forgotPassword', FORGOT_PASSWORD_PAGE],
  ['/confirmForgotPassword', RESET_PASSWORD_PAGE],
  ['/changePassword', CHANGE_PASSWORD_PAGE],
  ['/mfa', MFA_PAGE],
  [PROVIDER_PATH, PROVIDER_PAGE],
])

export function createManagedLogin(options: PoolParts): Endpoints {
  const pages = [...PAGES].map(([path, page]) => {
    const endpoints = {
      GET: atVisit(options, (visit) => showPage(visit, page)),
      POST: atVisit(options, (visit, request) => submitForm(visit, request, page)),
    }
    return [path, endpoints] as const
  })
  return new Map<string, Readonly<Record<string, Endpoint>>>([
    ...pages,
    ['/oauth2/authorize', { GET: atVisit(options, answerAuthorize) }],
    ['/logout', { GET: (request) => answerLogout(options, request) }],
  ])
}

/** A visit comes from a client, with its request; only who is signed in already may come to /mfa without. */
function atVisit(
  options: PoolParts,
  answer: (visit: Visit, request: PoolRequest) => Answer | Promise<Answer>,
): Endpoint {
  return async (request) => {
    const { path, query, headers } = request
    const browser = options.browsers.find(headers.cookie)
    const visit = { options, path, browser: browser ?? NOBODY }
    if (path === '/mfa' && !query.has('client_id')) {
      return answer({ ...visit, request: undefined }, request)
    }
    const rules = { clients: options.clients, directory: options.store.directory(), findProvider }
    const parsed = parseAuthorizationRequest(query, rules)
    if (parsed.kind === 'refused') return toErrorPage(400, parsed.detail, ADVICE)
    if (parsed.kind === 'error') return redirectTo(parsed.location)
    return answer({ ...visit, request: parsed.request }, request)
  }
}

const ADVICE =
  'The application sent a request that the dev pool does not take. Compare its client id and callback URL with what the dev pool has.'

/** A browser that has no cookie yet: no form can be its. */
const NOBODY: Browser = { id: '', formToken: '', endsMs: 0 }

/** What the last form had to say is said once. */
function showPage(visit: Visit, page: LoginPage): Answer {
  const { browsers } = visit.options
  const browser = visit.browser === NOBODY ? browsers.begin() : visit.browser
  browsers.update(browser, { pending: browser.pending, flash: undefined })
  const answer = page.show({ ...visit, browser })
  return { ...answer, headers: { ...answer.headers, 'set-cookie': toCookie(browser) } }
}

/** Against CSRF: the form has the browser's own token, and comes from a page of this very origin where it says from which. */
function submitForm(
  visit: Visit,
  { headers, body }: PoolRequest,
  page: LoginPage,
): Answer | Promise<Answer> {
  const form = new URLSearchParams(body)
  const { origin } = headers
  const isOwn = origin === undefined || origin === `http://${headers.host}`
  if (!isOwn) return toErrorPage(403, 'This form came from another site.')
  if (visit.browser === NOBODY || !isSame(visit.browser.formToken, form.get('form_token') ?? '')) {
    return toErrorPage(403, 'This form has expired.', 'Go back to the application and start again.')
  }
  return page.submit(visit, form)
}

function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}
