// What a person with a browser meets: a dev pool, a gateway and a service behind it, on one clock that a test can put forward.
import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import type { Clock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startDemoUpstream } from '../../src/dev-pool/demo-upstream.ts'
import { type DevPool, startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { createGateway } from '../../src/gateway.ts'
import { freePort } from './free-ports.ts'
import { realClock } from './real-clock.ts'

export interface MovableClock extends Clock {
  forward(ms: number): void
}

/** Timers stay real; what tells the time is ahead of it. */
export function createMovableClock(): MovableClock {
  let ahead = 0
  return {
    now: () => realClock.now() + ahead,
    monotonic: () => realClock.monotonic() + ahead,
    after: realClock.after,
    forward(ms) {
      ahead += ms
    },
  }
}

/** Who signs browsers in: addresses of a managed login and of its user pool. */
export interface SignInPlace {
  readonly userPoolId: string
  readonly clientId: string
  readonly domain: string
  readonly issuer: string
  readonly jwksUri: string
}

export interface BrowserGateway {
  readonly origin: string
  readonly logged: readonly string[]
  accessLines(): Record<string, unknown>[]
  stop(): Promise<void>
}

export interface GatewayOptions {
  readonly clock?: Clock
  /** Further settings of the session. */
  readonly session?: object
  /** To the demo upstream, where they name no other. */
  readonly routes?: readonly object[]
  /** Beside the demo upstream. */
  readonly upstreams?: object
  readonly identityPools?: object
  /** As it stands in `origins`. */
  readonly port: number
}

const ROUTES = [
  { name: 'public', match: { path: '/public/*' }, access: 'public' },
  { name: 'me', match: { path: '/me' }, access: { tokenUse: 'id' }, signIn: 'web' },
  { name: 'api', match: { path: '/api/*' }, access: 'authenticated', signIn: 'web' },
  {
    name: 'admin',
    match: { path: '/admin/*' },
    access: { groups: { anyOf: ['admins'] } },
    signIn: 'web',
  },
  {
    name: 'vault',
    match: { path: '/vault/*' },
    access: { acr: ['urn:cognito:loa:4'] },
    signIn: 'web',
  },
  { name: 'fresh', match: { path: '/fresh/*' }, access: { maxAuthAge: '10m' }, signIn: 'web' },
  {
    name: 'google',
    match: { path: '/google/*' },
    access: { tokenUse: 'id', providers: { anyOf: ['Google'] } },
    signIn: 'web',
  },
]

/** A gateway on http://localhost, with the demo upstream behind it. */
export async function startBrowserGateway(
  place: SignInPlace,
  options: GatewayOptions,
): Promise<BrowserGateway> {
  const { clock = realClock, session = {}, routes = ROUTES, port, identityPools = {} } = options
  const upstream = await startDemoUpstream()
  const origin = `http://localhost:${port}`
  const { userPoolId, clientId, domain, issuer, jwksUri } = place
  const config = {
    version: 1,
    listen: `127.0.0.1:${port}`,
    admin: 'none',
    userPools: { main: { userPoolId, clientIds: [clientId], issuer, jwksUri } },
    sessions: {
      web: {
        domain,
        clientId,
        origins: [origin],
        keys: [randomBytes(32).toString('base64')],
        ...session,
      },
    },
    identityPools,
    upstreams: { up: { targets: [upstream.origin] }, ...options.upstreams },
    routes: routes.map((route) => ({ upstream: 'up', ...route })),
  }
  const logged: string[] = []
  const gateway = createGateway(loadConfig(JSON.stringify(config), 'test.json', {}), {
    clock,
    version: '0.0.0-test',
    logDestination: { write: (line) => logged.push(line) },
  })
  await gateway.start()
  return {
    origin,
    logged,
    accessLines: () => logged.map((line) => JSON.parse(line)).filter((line) => 'decision' in line),
    async stop() {
      const stopping = gateway.stop()
      void gateway.stop()
      await stopping
      await upstream.stop()
    },
  }
}

export interface BrowserStage extends BrowserGateway {
  readonly clock: MovableClock
  readonly pool: DevPool
}

export async function startBrowserStage(session: object = {}): Promise<BrowserStage> {
  const clock = createMovableClock()
  const pool = await startDevPool({ clock, port: 0 })
  const gateway = await startBrowserGateway(toPlace(pool), {
    clock,
    session,
    port: await freePort(),
  })
  return {
    ...gateway,
    clock,
    pool,
    async stop() {
      await gateway.stop()
      await pool.stop()
    },
  }
}

function toPlace({ userPoolId, webClientId, origin, issuer, jwksUri }: DevPool): SignInPlace {
  return { userPoolId, clientId: webClientId, domain: origin, issuer, jwksUri }
}

/** Fills in the dev pool's own form. */
export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('Username or email').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** By Poolgate's own page. */
export async function signOut(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/_poolgate/sign-out`)
  await page.getByRole('button', { name: 'Sign out' }).click()
}

/** What the service was told of who is calling: header → claim. */
export async function identityOn(page: Page): Promise<Record<string, string>> {
  const rows = page.locator('section.identity tbody tr')
  const cells = await rows.evaluateAll((all) =>
    all.map((row) => [
      row.querySelector('th')?.textContent ?? '',
      row.querySelector('td')?.textContent ?? '',
    ]),
  )
  return Object.fromEntries(cells)
}
