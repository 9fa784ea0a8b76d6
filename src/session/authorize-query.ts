// What a browser tells the managed login: RFC 6749 section 4.1.1, PKCE, OpenID Connect, and Cognito's own parameters.
import { createHash } from 'node:crypto'
import type { SessionSettings } from '../config/schema-session.ts'
import type { Attempt } from './attempts.ts'

/** What one sign-in asks for, beside the settings of all. */
export interface AuthorizeHints {
  readonly provider?: string | undefined
  readonly prompt?: string | undefined
  readonly loginHint?: string | undefined
  /** To the page where new users sign up. */
  readonly signUp?: boolean | undefined
}

export interface AuthorizeQuestion {
  readonly settings: SessionSettings
  readonly attempt: Attempt
  readonly redirectUri: string
  readonly hints: AuthorizeHints
}

export function toAuthorizeQuery({
  settings,
  attempt,
  redirectUri,
  hints,
}: AuthorizeQuestion): string {
  const { idpIdentifier, lang, resource } = settings
  const provider = hints.provider ?? settings.identityProvider
  const parameters = {
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUri,
    scope: settings.scopes.join(' '),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: toCodeChallenge(attempt.verifier),
    code_challenge_method: 'S256',
    identity_provider: provider,
    // Both would contradict each other.
    idp_identifier: provider === undefined ? idpIdentifier : undefined,
    lang,
    resource,
    acr_values: attempt.acrValues?.join(' '),
    max_age: attempt.maxAgeSeconds?.toString(),
    prompt: hints.prompt,
    login_hint: hints.loginHint,
  }
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return new URLSearchParams(given).toString()
}

/** S256 (RFC 7636 section 4.2). Every challenge of a browser pays for it, and Web Crypto takes ten times as long. */
function toCodeChallenge(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}
