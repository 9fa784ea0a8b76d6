// The parameter rules of the authorization request, each from both sides: what is taken, what the client is told, what ends on a page.
import t from 'tap'
import {
  API_CLIENT_ID,
  createClients,
  SERVER_CLIENT_ID,
  WEB_CLIENT_ID,
} from '../../../src/dev-pool/clients.ts'
import { findProvider } from '../../../src/dev-pool/managed-login/providers.ts'
import { parseAuthorizationRequest } from '../../../src/dev-pool/oauth/authorization-request.ts'
import { parseUsersFile } from '../../../src/dev-pool/users-file.ts'

const directory = parseUsersFile('users: {jane: {password: x, scopes: [own/scope]}}', 'u.yaml')
const rules = { clients: createClients(), directory, findProvider }
const GOOD = {
  client_id: WEB_CLIENT_ID,
  redirect_uri: 'http://localhost:1/cb?x=1',
  response_type: 'code',
  state: 's',
}

function parse(changes: Readonly<Record<string, string | undefined>>) {
  const fields = Object.entries({ ...GOOD, ...changes }).filter(([, value]) => value !== undefined)
  return parseAuthorizationRequest(new URLSearchParams(fields as [string, string][]), rules)
}

function requestOf(changes: Readonly<Record<string, string | undefined>>) {
  const parsed = parse(changes)
  return parsed.kind === 'request' ? parsed.request : undefined
}

/** The error that the client is told, with its state. */
function errorOf(changes: Readonly<Record<string, string | undefined>>) {
  const parsed = parse(changes)
  if (parsed.kind !== 'error') return parsed.kind
  const { origin, pathname, searchParams } = new URL(parsed.location)
  t.equal(`${origin}${pathname}`, 'http://localhost:1/cb')
  t.equal(searchParams.get('x'), '1')
  return `${searchParams.get('error')} ${searchParams.get('state')}`
}

function descriptionOf(scope: string) {
  const parsed = parse({ scope })
  const { searchParams } = new URL(parsed.kind === 'error' ? parsed.location : 'none:')
  return searchParams.get('error_description') ?? ''
}

t.test('a request with the least is taken, and everything is asked for', async (t) => {
  const request = requestOf({})
  t.match(request, { redirectUri: GOOD.redirect_uri, callback: GOOD.redirect_uri, state: 's' })
  t.strictSame(request?.scopes, [
    'openid',
    'email',
    'phone',
    'profile',
    'aws.cognito.signin.user.admin',
    'orders/read',
    'orders/write',
    'own/scope',
  ])
  t.strictSame([request?.prompts, request?.acrValues, request?.maxAgeSeconds], [[], [], undefined])
})

t.test('without a known client or callback nobody is redirected', async (t) => {
  for (const client_id of [undefined, '', 'x', WEB_CLIENT_ID.toUpperCase()]) {
    t.strictSame(parse({ client_id }), { kind: 'refused', detail: 'Client does not exist.' })
  }
  for (const redirect_uri of [undefined, '', 'http://evil.example/', 'http://localhost/#x']) {
    t.strictSame(parse({ redirect_uri, response_type: 'x' }), {
      kind: 'refused',
      detail: 'redirect_mismatch',
    })
  }
})

t.test('a parameter that comes twice is refused', async (t) => {
  const repeat = (name: string) => {
    const query = new URLSearchParams({ ...GOOD, scope: 'openid' })
    query.append(name, query.get(name) ?? '')
    return parseAuthorizationRequest(query, rules)
  }
  t.equal(repeat('client_id').kind, 'refused')
  t.equal(repeat('redirect_uri').kind, 'refused')
  for (const name of ['response_type', 'state', 'scope']) {
    const parsed = repeat(name)
    t.match(parsed, { kind: 'error', location: 'error=invalid_request' }, name)
  }
})

t.test('response_type is code, for clients that may ask for one', async (t) => {
  t.ok(requestOf({ client_id: SERVER_CLIENT_ID }))
  t.equal(errorOf({ response_type: undefined }), 'invalid_request s')
  t.equal(errorOf({ response_type: 'token' }), 'unauthorized_client s')
  t.equal(errorOf({ client_id: API_CLIENT_ID }), 'unauthorized_client s')
  t.equal(errorOf({ response_type: 'code token' }), 'unsupported_response_type s')
  t.equal(errorOf({ response_type: 'id_token' }), 'unsupported_response_type s')
})

t.test('a challenge is a SHA-256 under S256, or not there', async (t) => {
  const ask = (code_challenge?: string, code_challenge_method?: string) =>
    errorOf({ code_challenge, code_challenge_method })
  t.equal(ask('x'.repeat(43), 'S256'), 'request')
  t.equal(
    requestOf({ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })?.codeChallenge,
    'x'.repeat(43),
  )
  t.equal(ask(), 'request')
  for (const method of [undefined, 'plain', 's256', '']) {
    t.equal(ask('x'.repeat(43), method), 'invalid_request s', String(method))
  }
  for (const challenge of [undefined, '', 'x'.repeat(42), 'x'.repeat(44), `${'x'.repeat(42)}=`]) {
    t.equal(ask(challenge, 'S256'), 'invalid_request s', String(challenge))
  }
})

t.test('scopes are known ones, each once', async (t) => {
  t.strictSame(requestOf({ scope: 'openid  orders/read openid' })?.scopes, [
    'openid',
    'orders/read',
  ])
  t.strictSame(requestOf({ scope: 'own/scope' })?.scopes, ['own/scope'])
  t.equal(errorOf({ scope: 'openid other/scope' }), 'invalid_scope s')
  t.equal(errorOf({ scope: 'openid,email' }), 'invalid_scope s')
  t.match(descriptionOf('openid other/scope'), /^the scope other\/scope is unknown: the users file/)
  for (const scope of ['a\nb', 'é', '"', 's'.repeat(101)]) {
    t.match(descriptionOf(scope), /^a scope is unknown/, 'what is no scope is not repeated')
  }
})

t.test('prompt is one of four words, and none stands alone', async (t) => {
  for (const prompt of ['none', 'login', 'select_account', 'consent', 'login consent']) {
    t.strictSame(requestOf({ prompt })?.prompts, prompt.split(' '))
  }
  for (const prompt of ['create', 'none login', 'Login']) {
    t.equal(errorOf({ prompt }), 'invalid_request s', prompt)
  }
})

t.test('a provider goes by its name, or by an organisation that is its own', async (t) => {
  for (const name of ['COGNITO', 'Google', 'Facebook', 'LoginWithAmazon', 'CorpAD']) {
    t.equal(requestOf({ identity_provider: name })?.provider, name)
  }
  t.equal(requestOf({ idp_identifier: 'corp.example' })?.provider, 'CorpAD')
  t.equal(
    requestOf({ identity_provider: 'Google', idp_identifier: 'corp.example' })?.provider,
    'Google',
  )
  t.equal(requestOf({})?.provider, undefined)
  for (const name of ['google', 'SignInWithApple', 'toString']) {
    t.equal(errorOf({ identity_provider: name }), 'invalid_request s', name)
  }
  t.equal(errorOf({ idp_identifier: 'other.example' }), 'invalid_request s')
})

t.test('max_age is a whole number of seconds', async (t) => {
  t.equal(requestOf({ max_age: '0' })?.maxAgeSeconds, 0)
  t.equal(requestOf({ max_age: '999999999' })?.maxAgeSeconds, 999_999_999)
  for (const max_age of ['-1', '1.5', 'x', '1000000000', '1 ']) {
    t.equal(errorOf({ max_age }), 'invalid_request s', max_age)
  }
})

t.test('a resource is one absolute URL without a fragment', async (t) => {
  for (const resource of ['https://api.example', 'https://api.example/v1?x=1', 'myapp://api']) {
    t.equal(requestOf({ resource })?.resource, resource)
  }
  for (const resource of ['api.example', '/api', 'https://api.example/#x']) {
    t.equal(errorOf({ resource }), 'invalid_request s', resource)
  }
})

t.test('the rest is taken as it is', async (t) => {
  const request = requestOf({
    nonce: 'n',
    login_hint: 'jane',
    acr_values: 'a b',
    lang: 'de',
    other: 'x',
  })
  t.match(request, { nonce: 'n', loginHint: 'jane', acrValues: ['a', 'b'] })
  t.match(request?.query, /lang=de/)
  t.match(requestOf({ state: undefined }), { state: undefined })
  t.match(parse({ state: undefined, prompt: 'x' }), {
    location: /^[^&]*\?x=1&error_description=[^&]*&error=invalid_request$/,
  })
})
