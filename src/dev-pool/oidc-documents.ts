// The two public documents of a user pool: its keys and its discovery document (OpenID Connect Discovery 1.0 section 3).
import type { JWK } from 'jose'
import type { PoolKeys } from './pool-keys.ts'

export const JWKS_PATH = '/.well-known/jwks.json'
export const DISCOVERY_PATH = '/.well-known/openid-configuration'

export function toJwks({ id, access }: PoolKeys): { readonly keys: readonly JWK[] } {
  return { keys: [id.jwk, access.jwk] }
}

/** As Cognito's for a pool with a domain. @param domain where managed login is */
export function toDiscovery(issuer: string, domain: string): Readonly<Record<string, unknown>> {
  return {
    authorization_endpoint: `${domain}/oauth2/authorize`,
    end_session_endpoint: `${domain}/logout`,
    id_token_signing_alg_values_supported: ['RS256'],
    issuer,
    jwks_uri: issuer + JWKS_PATH,
    response_types_supported: ['code', 'token'],
    revocation_endpoint: `${domain}/oauth2/revoke`,
    scopes_supported: ['openid', 'email', 'phone', 'profile'],
    subject_types_supported: ['public'],
    token_endpoint: `${domain}/oauth2/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    userinfo_endpoint: `${domain}/oauth2/userInfo`,
  }
}
