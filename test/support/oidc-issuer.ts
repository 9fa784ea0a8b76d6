// An OpenID provider that nobody here wrote (panva's oidc-provider, certified by the OpenID Foundation) at the paths of a managed login,
// with the claims that Cognito's tokens have.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export interface OidcIssuer {
  readonly issuer: string
  readonly jwksUri: string
  stop(): Promise<void>
}

export interface OidcClient {
  readonly clientId: string
  readonly clientSecret?: string
  readonly redirectUris: readonly string[]
}

export async function startOidcIssuer({
  clientId,
  clientSecret,
  redirectUris,
}: OidcClient): Promise<OidcIssuer> {
  const server = createServer((request, response) => handle(request, response))
  let handle: ReturnType<Provider['callback']> = async () => undefined
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(issuer, {
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'peer', alg: 'RS256', use: 'sig' }],
    },
    clients: [
      {
        client_id: clientId,
        ...(clientSecret && { client_secret: clientSecret }),
        token_endpoint_auth_method: clientSecret ? 'client_secret_basic' : 'none',
        redirect_uris: [...redirectUris],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      userinfo: '/oauth2/userInfo',
      revocation: '/oauth2/revoke',
      end_session: '/logout',
      jwks: '/.well-known/jwks.json',
    },
    cookies: { keys: ['a key of this test alone'] },
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    claims: {
      openid: ['sub', 'token_use', 'cognito:username', 'cognito:groups'],
      email: ['email'],
      profile: ['name'],
    },
    conformIdTokenClaims: false,
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        token_use: 'id',
        'cognito:username': accountId,
        'cognito:groups': ['members'],
        email: `${accountId}@example.com`,
        name: accountId,
      }),
    }),
    extraTokenClaims: async (_, token) => {
      const { accountId } = token as { accountId?: string }
      return { token_use: 'access', username: accountId, 'cognito:groups': ['members'] }
    },
    // Cognito's tokens are of no type but JWT; others are not taken.
    formats: {
      customizers: {
        jwt(_, __, parts) {
          parts.header = { ...parts.header, typ: 'JWT' }
        },
      },
    },
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://api.example.com',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'openid email profile',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  handle = provider.callback()
  return {
    issuer,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
