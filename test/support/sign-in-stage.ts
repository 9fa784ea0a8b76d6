// Sign-in with all that it needs, and a browser that keeps cookies as it should: what tests of the flow stand on.
import type { Test } from 'tap'
import { session as sessionSchema, type SessionSettings } from '../../src/config/schema-session.ts'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import type { OwnPage } from '../../src/session/own-page.ts'
import { createSignIn, type SignIn, type SignInOptions } from '../../src/session/sign-in.ts'
import { createSignInEndpoints } from '../../src/session/sign-in-endpoints.ts'
import type { FakeClock } from './fake-clock.ts'
import { createFakeClock } from './fake-clock.ts'
import { type FakeManagedLogin, startFakeManagedLogin } from './fake-managed-login.ts'
import type { TestIssuer } from './issuer.ts'
import { createKeptSessions, type KeptSessions } from './kept-sessions.ts'
import { createIssuerAt, createTestVerifier } from './test-verifier.ts'

export const ORIGIN = 'https://app.example.com'

export interface Asked {
  readonly method?: string
  readonly host?: string
  readonly headers?: readonly string[]
  readonly upgrade?: string
}

/** What the listener makes of a request. */
export function toFacts(url: string, asked: Asked = {}): RequestFacts {
  const { method = 'GET', host: authority = 'app.example.com', headers = [], upgrade } = asked
  const host = parseHost(authority)
  if ('refused' in host) throw new Error(host.detail)
  const target = parseRequestTarget(url, host.authority)
  if ('refused' in target) throw new Error(target.detail)
  return {
    method,
    host,
    target,
    headers: ['Host', authority, ...headers],
    authorization: undefined,
    upgrade,
    clientAddress: '192.0.2.1',
    peerAddress: '192.0.2.1',
    peerTrusted: false,
    secure: true,
    hasBody: false,
    contentLength: undefined,
  }
}

/** Every value of a field of an answer. */
export function fieldsOf({ headers }: OwnPage, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name)
}

export function locationOf(page: OwnPage): URL {
  const [location = ''] = fieldsOf(page, 'location')
  return new URL(location, ORIGIN)
}

export interface Browser {
  readonly cookies: Map<string, string>
  go(url: string, asked?: Asked): Promise<OwnPage>
  facts(url: string, asked?: Asked): RequestFacts
  keep(page: OwnPage): OwnPage
}

export interface Stage {
  readonly clock: FakeClock
  readonly issuer: TestIssuer
  readonly login: FakeManagedLogin
  readonly kept: KeptSessions
  readonly signIn: SignIn
  readonly signIns: ReadonlyMap<string, SignIn>
  readonly settings: SessionSettings
  browser(): Browser
  /** A browser goes to sign in, and its user does: what it comes back with. */
  approach(
    browser: Browser,
    claims?: Parameters<FakeManagedLogin['grant']>[1],
    query?: string,
  ): Promise<URLSearchParams>
  /** The same, and the browser comes back. */
  enter(
    browser: Browser,
    claims?: Parameters<FakeManagedLogin['grant']>[1],
    query?: string,
  ): Promise<OwnPage>
}

export interface StageOptions {
  /** Of each session by name, beside what is required; default: one called `main`. */
  readonly sessions?: Readonly<Record<string, Record<string, unknown>>>
  readonly holds?: SignInOptions['holds']
}

export async function setStage(
  t: Test,
  { sessions = { main: {} }, holds = { access: true, id: true } }: StageOptions = {},
): Promise<Stage> {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const { verifier } = await createTestVerifier([issuer], { clock })
  const login = await startFakeManagedLogin(issuer)
  t.teardown(() => login.stop())
  const kept = createKeptSessions()
  const all = Object.entries(sessions).map(([name, changes]): [string, SessionSettings] => [
    name,
    toSessionSettings({ domain: login.domain, clientId: issuer.clientId, ...changes }),
  ])
  const signIns = new Map(
    all.map(([name, settings]) => [
      name,
      createSignIn(
        { name, settings, pathPrefix: '/_poolgate', issuers: [issuer.issuer], holds },
        {
          clock,
          changed: () => undefined,
          verify: async (token, tokenUse) => verifier.verify(token, { userPool: 'main', tokenUse }),
        },
        kept.create,
      ),
    ]),
  )
  const endpoints = createSignInEndpoints(signIns, '/_poolgate')
  const [[, settings]] = all as [[string, SessionSettings]]
  const stage: Stage = {
    clock,
    issuer,
    login,
    kept,
    signIns,
    settings,
    signIn: signIns.values().next().value as SignIn,
    browser: () => createBrowser(endpoints),
    async approach(browser, claims, query = '') {
      const page = await browser.go(`/_poolgate/sign-in${query}`)
      return login.grant(locationOf(page).href, claims)
    },
    async enter(browser, claims, query) {
      return browser.go(`/_poolgate/callback?${await stage.approach(browser, claims, query)}`)
    },
  }
  return stage
}

export function toSessionSettings(changes: Record<string, unknown>): SessionSettings {
  return sessionSchema.parse({ origins: [ORIGIN], keys: ['k'.repeat(32)], ...changes })
}

function createBrowser(endpoints: ReturnType<typeof createSignInEndpoints>): Browser {
  const cookies = new Map<string, string>()
  const browser: Browser = {
    cookies,
    facts(url, { headers = [], ...asked } = {}) {
      const field = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      return toFacts(url, {
        ...asked,
        headers: field === '' ? headers : [...headers, 'Cookie', field],
      })
    },
    keep(page) {
      for (const line of fieldsOf(page, 'set-cookie')) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/; Max-Age=0;/.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return page
    },
    async go(url, asked) {
      const page = await endpoints(browser.facts(url, asked))
      if (page === undefined) throw new Error(`${url} is no endpoint`)
      return browser.keep(page)
    },
  }
  return browser
}
