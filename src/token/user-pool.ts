// A configured Cognito user pool: who may have issued a token, for which app clients, under which keys.

/** What the verifier needs to know of one pool; every list is compared exactly. */
export interface UserPoolSettings {
  /** The name that configuration gave it. */
  readonly name: string
  /** Accepted values of `iss`. */
  readonly issuers: readonly string[]
  /** Accepted app clients: `client_id` of access tokens, `aud` of ID tokens. `any` switches the check off. */
  readonly clientIds: readonly string[] | 'any'
  /** Accepted `aud` of access tokens (RFC 8707 resource binding); undefined where it is not checked. */
  readonly resources: readonly string[] | undefined
  /** Milliseconds, 0 to 60,000. */
  readonly clockToleranceMs: number
}
