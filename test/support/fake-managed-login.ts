// A stand-in for a managed login: gives codes to whoever asks, and its token endpoint checks them as RFC 6749 and PKCE demand; or does
// whatever a test wants instead. Tokens are those of a test issuer.
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestIssuer } from './issuer.ts'

export interface Grant {
  readonly access?: Record<string, unknown>
  readonly id?: Record<string, unknown>
}

export interface FakeManagedLogin {
  readonly domain: string
  /** Fields and parameters of every request, in order. */
  readonly requests: { path: string; authorization: string | undefined; body: URLSearchParams }[]
  /** Signs a user in at an authorize URL: the query with which his browser comes back. */
  grant(authorizeUrl: string, claims?: Grant): URLSearchParams
  /** Answers the token endpoint's next requests instead; undefined: as it should. */
  instead: ((response: ServerResponse) => void) | undefined
  /** Changes a good answer of the token endpoint. */
  change: ((answer: Record<string, unknown>) => void) | undefined
  stop(): Promise<void>
}

interface Code {
  readonly query: URLSearchParams
  readonly claims: Grant
}

export async function startFakeManagedLogin(issuer: TestIssuer): Promise<FakeManagedLogin> {
  const codes = new Map<string, Code>()
  const refreshTokens = new Map<string, Grant>()
  const requests: FakeManagedLogin['requests'] = []

  function toTokens({ access = {}, id = {} }: Grant, nonce?: string): Record<string, unknown> {
    const accessToken = issuer.access(access)
    const hash = createHash('sha256').update(accessToken).digest().subarray(0, 16)
    return {
      access_token: accessToken,
      id_token: issuer.id({ nonce, at_hash: hash.toString('base64url'), ...id }),
      token_type: 'Bearer',
      expires_in: 3600,
    }
  }

  function redeem(body: URLSearchParams): Record<string, unknown> | undefined {
    const code = codes.get(body.get('code') ?? '')
    codes.delete(body.get('code') ?? '')
    if (code === undefined) return undefined
    const verifier = createHash('sha256').update(body.get('code_verifier') ?? '')
    const isSame =
      verifier.digest('base64url') === code.query.get('code_challenge') &&
      body.get('redirect_uri') === code.query.get('redirect_uri')
    if (!isSame) return undefined
    const refreshToken = randomUUID()
    refreshTokens.set(refreshToken, code.claims)
    const nonce = code.query.get('nonce') ?? undefined
    return { ...toTokens(code.claims, nonce), refresh_token: refreshToken }
  }

  function answer(path: string, body: URLSearchParams): Record<string, unknown> | undefined {
    if (path === '/oauth2/revoke') return refreshTokens.delete(body.get('token') ?? '') ? {} : {}
    if (body.get('grant_type') === 'authorization_code') return redeem(body)
    const claims = refreshTokens.get(body.get('refresh_token') ?? '')
    return claims && toTokens(claims)
  }

  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const path = request.url ?? ''
    const body = new URLSearchParams(text)
    requests.push({ path, authorization: request.headers.authorization, body })
    if (login.instead !== undefined) return login.instead(response)
    const tokens = answer(path, body)
    if (tokens !== undefined) login.change?.(tokens)
    response.writeHead(tokens === undefined ? 400 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(tokens ?? { error: 'invalid_grant' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const login: FakeManagedLogin = {
    domain: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    instead: undefined,
    change: undefined,
    grant(authorizeUrl, claims = {}) {
      const query = new URL(authorizeUrl).searchParams
      const code = randomUUID()
      codes.set(code, { query, claims })
      return new URLSearchParams({ code, state: query.get('state') ?? '' })
    },
    stop() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return login
}
