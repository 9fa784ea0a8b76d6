// Talks to the managed login of a user pool: where browsers are sent, and what its token endpoint gives. The only door to oauth4webapi.
// A token counts for nothing before our own verifier has proven it; whatever else comes is a failure, as a value.
import * as oauth from 'oauth4webapi'
import { createBoundedFetch } from '../base/bounded-fetch.ts'
import type { Clock } from '../base/clock.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import type { Claims } from '../token/claims.ts'
import { parseJws } from '../token/jws.ts'
import { type Rejected, toQuoted } from '../token/rejected.ts'
import { parseJsonObject } from '../token/strict-json.ts'
import { isRejected } from '../token/verifier.ts'
import type { Attempt } from './attempts.ts'
import { type AuthorizeHints, toAuthorizeQuery } from './authorize-query.ts'
import type { Session, SessionTokens, SessionTokenUse } from './session.ts'
import type { Refreshed } from './renewal.ts'
import { checkAccessHash, checkOwnClient, checkStrength } from './token-checks.ts'

export interface ManagedLoginOptions {
  readonly settings: SessionSettings
  readonly issuers: readonly string[]
  /** Which tokens a session keeps: those that routes need. */
  readonly holds: { readonly access: boolean; readonly id: boolean }
}

export type VerifySessionToken = (
  token: string,
  use: SessionTokenUse,
) => Promise<{ readonly claims: Claims; readonly validUntilMs: number } | Rejected>

export interface ManagedLoginPorts {
  readonly clock: Clock
  readonly verify: VerifySessionToken
}

/** Tokens that were verified, and that are kept. */
export interface SignedIn {
  readonly subject: string
  readonly tokens: SessionTokens
  readonly tokensEndMs: number
}

export interface SignInFailure {
  /**
   * `declined`: the managed login says so. `invalid`: the answer does not belong to the attempt. `weak`: less was given than was
   * asked. `trouble`: the token endpoint is of no use.
   */
  readonly failed: 'declined' | 'invalid' | 'weak' | 'trouble'
  readonly detail: string
  /** Of the managed login, for the user; to be escaped. */
  readonly description?: string | undefined
}

export interface ManagedLogin {
  authorizeUrl(attempt: Attempt, redirectUri: string, hints: AuthorizeHints): string
  /** @param parameters the query with which the browser came back, its state already compared */
  redeem(
    parameters: URLSearchParams,
    attempt: Attempt,
    redirectUri: string,
  ): Promise<SignedIn | SignInFailure>
  refresh(session: Pick<Session, 'subject' | 'tokens'>): Promise<Refreshed>
  /** Undefined when it was revoked; else why not. */
  revoke(refreshToken: string): Promise<string | undefined>
  logoutUrl(logoutUri: string): string
}

const DEADLINE_MS = 5_000
const MAX_BYTES = 64 * 1024

/** Never given by a code flow in the query: whoever sends one wants it used unverified (CVE-2026-82462). */
const TOKENS = ['access_token', 'id_token', 'refresh_token', 'token']

/** oauth4webapi reads the machine's clock; times are judged by our verifier, with ours. */
const ANY_TIME_SECONDS = 1e12

export function createManagedLogin(
  { settings, issuers, holds }: ManagedLoginOptions,
  { clock, verify }: ManagedLoginPorts,
): ManagedLogin {
  const { domain, clientId, clientSecret } = settings
  const client: oauth.Client = { client_id: clientId, [oauth.clockTolerance]: ANY_TIME_SECONDS }
  const authentication =
    clientSecret === undefined ? oauth.None() : oauth.ClientSecretBasic(clientSecret)
  const options = {
    [oauth.customFetch]: createBoundedFetch({
      clock,
      deadlineMs: DEADLINE_MS,
      maxBytes: MAX_BYTES,
    }),
    [oauth.allowInsecureRequests]: domain.startsWith('http:'),
  }

  /** A pool has two forms of its issuer, and may change from one to the other. */
  const serverAs = (named: unknown): oauth.AuthorizationServer => ({
    issuer: issuers.find((issuer) => issuer === named) ?? (issuers[0] as string),
    token_endpoint: `${domain}/oauth2/token`,
    revocation_endpoint: `${domain}/oauth2/revoke`,
  })

  async function prove(token: string, use: SessionTokenUse) {
    const verified = await verify(token, use)
    if (isRejected(verified)) return trouble(`${use} token: ${verified.reason}, ${verified.detail}`)
    const foreign = checkOwnClient(verified.claims, use, clientId)
    return foreign === undefined ? { ...verified, token } : trouble(foreign)
  }

  /** Both tokens proven to be one user's, or why not. */
  async function proveBoth(access: string, id: string) {
    const [accessProof, idProof] = await Promise.all([prove(access, 'access'), prove(id, 'id')])
    if ('failed' in accessProof) return accessProof
    if ('failed' in idProof) return idProof
    const { sub } = idProof.claims
    if (typeof sub !== 'string' || sub === '' || sub !== accessProof.claims.sub) {
      return trouble('the tokens are of different users')
    }
    const mismatch = checkAccessHash(idProof.claims, access)
    if (mismatch !== undefined) return invalid(mismatch)
    return { access: accessProof, id: idProof, subject: sub }
  }

  function keep(
    { access, id, subject }: Exclude<Awaited<ReturnType<typeof proveBoth>>, SignInFailure>,
    refresh: string | undefined,
  ): SignedIn {
    const held = [holds.access && access, holds.id && id].filter((one) => one !== false)
    return {
      subject,
      tokens: {
        access: holds.access ? access.token : undefined,
        id: holds.id ? id.token : undefined,
        refresh,
      },
      tokensEndMs: Math.min(...held.map(({ validUntilMs }) => validUntilMs)),
    }
  }

  /** What the browser brought back (RFC 6749 section 4.1.2, RFC 9207). */
  function checkAnswer(parameters: URLSearchParams, { state }: Attempt) {
    const names = [...parameters.keys()]
    if (new Set(names).size !== names.length) return invalid('a parameter stands twice')
    if (TOKENS.some((name) => parameters.has(name))) return invalid('a token in the query')
    try {
      const server = serverAs(parameters.get('iss'))
      const sound = oauth.validateAuthResponse(server, client, parameters, state)
      return sound.has('code') ? sound : invalid('no code')
    } catch (error) {
      return error instanceof oauth.AuthorizationResponseError
        ? toDeclined(error)
        : invalid((error as Error).message)
    }
  }

  async function redeem(parameters: URLSearchParams, attempt: Attempt, redirectUri: string) {
    const sound = checkAnswer(parameters, attempt)
    if ('failed' in sound) return sound
    const response = await oauth.authorizationCodeGrantRequest(
      serverAs(undefined),
      client,
      authentication,
      sound,
      redirectUri,
      attempt.verifier,
      options,
    )
    const unverified = await readUnverifiedClaims(response)
    if (unverified !== undefined && unverified.nonce !== attempt.nonce) {
      return invalid('nonce is not that of the attempt')
    }
    const answer = await oauth.processAuthorizationCodeResponse(
      serverAs(unverified?.iss),
      client,
      response,
      { expectedNonce: attempt.nonce, requireIdToken: true },
    )
    const proof = await proveBoth(answer.access_token, answer.id_token as string)
    if ('failed' in proof) return proof
    const weak = checkStrength(proof.id.claims, attempt)
    if (weak !== undefined) return { failed: 'weak', detail: weak } as const
    return keep(proof, answer.refresh_token)
  }

  async function refresh({ subject, tokens }: Pick<Session, 'subject' | 'tokens'>) {
    const { refresh: token } = tokens
    if (token === undefined) return { kind: 'refused', detail: 'no refresh token' } as const
    const server = serverAs(undefined)
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication,
      token,
      options,
    )
    const unverified = await readUnverifiedClaims(response)
    const answer = await oauth.processRefreshTokenResponse(
      serverAs(unverified?.iss),
      client,
      response,
    )
    if (answer.id_token === undefined) return toFailed('no ID token')
    const proof = await proveBoth(answer.access_token, answer.id_token)
    if ('failed' in proof) return toFailed(proof.detail)
    if (proof.subject !== subject) return toFailed('the new tokens are of another user')
    return { kind: 'refreshed', ...keep(proof, answer.refresh_token ?? token) } as const
  }

  async function revoke(token: string): Promise<undefined> {
    const response = await oauth.revocationRequest(
      serverAs(undefined),
      client,
      authentication,
      token,
      options,
    )
    return oauth.processRevocationResponse(response)
  }

  return {
    authorizeUrl(attempt, redirectUri, hints) {
      const query = toAuthorizeQuery({ settings, attempt, redirectUri, hints })
      return `${domain}/${hints.signUp ? 'signup' : 'oauth2/authorize'}?${query}`
    },
    redeem: (...question) => redeem(...question).catch(toFailure),
    refresh: (session) => refresh(session).catch(toRefreshFailure),
    revoke: (token) => revoke(token).catch((error) => toFailure(error).detail),
    logoutUrl: (logoutUri) =>
      `${domain}/logout?${new URLSearchParams({ client_id: clientId, logout_uri: logoutUri })}`,
  }
}

/** Of the ID token in an answer, if it has one: to choose among our issuers, and to refuse. */
async function readUnverifiedClaims(response: Response): Promise<Claims | undefined> {
  const answer = parseJsonObject(Buffer.from(await response.clone().arrayBuffer()))
  if (typeof answer?.id_token !== 'string') return undefined
  const jws = parseJws(answer.id_token)
  return isRejected(jws) ? undefined : (parseJsonObject(jws.payload) ?? undefined)
}

function invalid(detail: string): SignInFailure {
  return { failed: 'invalid', detail }
}

function trouble(detail: string): SignInFailure {
  return { failed: 'trouble', detail }
}

function toFailed(detail: string): Refreshed {
  return { kind: 'failed', detail }
}

function toDeclined({ error, error_description: description }: oauth.AuthorizationResponseError) {
  const detail = `the managed login says ${toQuoted(error)}: ${toQuoted(description ?? '')}`
  return { failed: 'declined', detail, description: description ?? error } as const
}

/** Errors of the token endpoint are told apart by their codes (RFC 6749 section 5.2); no message holds what was sent. */
function toFailure(error: unknown): SignInFailure {
  if (!(error instanceof oauth.ResponseBodyError)) return trouble((error as Error).message)
  const detail = `the token endpoint says ${error.status} ${toQuoted(error.error)}`
  return error.error === 'invalid_grant' ? invalid(detail) : trouble(detail)
}

function toRefreshFailure(error: unknown): Refreshed {
  const { failed, detail } = toFailure(error)
  return { kind: failed === 'invalid' ? 'refused' : 'failed', detail }
}
