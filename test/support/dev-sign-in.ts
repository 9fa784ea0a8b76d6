// A dev pool under a test's clock, with what a client of it does: authorize URLs, codes for tokens, calls of its OAuth endpoints.
import { createHash } from 'node:crypto'
import t from 'tap'
import { type DevPool, type DevPoolOptions, startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFormBrowser, type FormBrowser, type Shown } from './form-browser.ts'

export const CALLBACK = 'http://localhost:1/callback'
export const VERIFIER = 'v'.repeat(43)
export const READER = { username: 'reader', password: 'Reader-Pass-1' }

export interface Json {
  readonly [name: string]: string
}

export interface DevSignIn {
  readonly pool: DevPool
  readonly clock: FakeClock
  /** With good parameters, but for these; undefined leaves one out. */
  authorizeUrl(changes?: Readonly<Record<string, string | undefined>>, path?: string): string
  browse(): FormBrowser
  /** The code in a callback's URL, or nothing. */
  codeOf(page: Shown): string | undefined
  /** A form for an OAuth endpoint. */
  post(
    endpoint: string,
    fields: Readonly<Record<string, string | undefined>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; headers: Headers; body: Json }>
  /** An operation for operators; the answer's body. */
  admin(operation: string, input?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** The code of the page for tokens, as the web client does it. */
  exchange(page: Shown): Promise<Json>
  /** Signs in with a new browser and gives the tokens. */
  signIn(user?: Readonly<Record<string, string>>, changes?: Json): Promise<Json>
}

export async function startDevSignIn(options: Partial<DevPoolOptions> = {}): Promise<DevSignIn> {
  const clock = createFakeClock()
  const pool = await startDevPool({ clock, port: 0, ...options })
  t.teardown(pool.stop)
  const challenge = createHash('sha256').update(VERIFIER).digest('base64url')
  const good = {
    client_id: pool.webClientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid email profile aws.cognito.signin.user.admin orders/read orders/write',
    state: 'the-state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  const codeOf = ({ url }: Shown) => new URL(url).searchParams.get('code') ?? undefined
  const harness: DevSignIn = {
    pool,
    clock,
    codeOf,
    authorizeUrl(changes = {}, path = '/oauth2/authorize') {
      return `${pool.origin}${path}?${toQuery({ ...good, ...changes })}`
    },
    browse: () => createFormBrowser(pool.origin),
    async post(endpoint, fields, headers = {}) {
      const body = toQuery(fields)
      const answer = await fetch(pool.origin + endpoint, { method: 'POST', body, headers })
      const text = await answer.text()
      return {
        status: answer.status,
        headers: answer.headers,
        body: text === '' ? {} : JSON.parse(text),
      }
    },
    async admin(operation, input = {}) {
      const answer = await fetch(pool.origin, {
        method: 'POST',
        headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
        body: JSON.stringify({ UserPoolId: pool.userPoolId, ...input }),
      })
      if (!answer.ok) throw new Error(await answer.text())
      return answer.json()
    },
    async exchange(page) {
      const { body } = await harness.post('/oauth2/token', {
        grant_type: 'authorization_code',
        client_id: pool.webClientId,
        code: codeOf(page),
        redirect_uri: CALLBACK,
        code_verifier: VERIFIER,
      })
      return body
    },
    async signIn(user = READER, changes = {}) {
      const browser = harness.browse()
      const page = await browser.open(harness.authorizeUrl(changes))
      return harness.exchange(await browser.submit(page, user))
    },
  }
  return harness
}

function toQuery(fields: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const given = Object.entries(fields).filter((field): field is [string, string] => {
    return field[1] !== undefined
  })
  return new URLSearchParams(given)
}
