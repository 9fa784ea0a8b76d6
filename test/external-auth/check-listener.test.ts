// Decisions by gRPC, asked by gRPC's own client (catalogue rows F-01, F-02, F-07, F-10, F-12).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { createEnvoyCheck, toHeaderMap } from '../support/envoy-check.ts'
import { eventually } from '../support/eventually.ts'
import { scrape } from '../support/scrape.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { type ConfigParts, startGateway } from '../support/start-gateway.ts'

const GRPC = 'trustedProxies: [127.0.0.1]\nextAuthz: 127.0.0.1:0'

async function start(t: Test, parts: ConfigParts = {}, credentials?: grpc.ChannelCredentials) {
  const running = await startGateway({ more: GRPC, ...parts })
  // A certificate's name cannot be an address.
  const address = credentials
    ? running.extAuthz.replace('127.0.0.1', 'localhost')
    : running.extAuthz
  const envoy = createEnvoyCheck(address, credentials)
  t.teardown(async () => {
    envoy.close()
    await running.stop()
  })
  /** About a GET of api.example. */
  const ask = (path: string, headers: readonly string[] = [], more: object = {}) => {
    const pseudo = [':path', path, ':method', 'GET', ':authority', 'api.example']
    const headerMap = toHeaderMap([...pseudo, ...headers])
    return envoy.ask({
      method: 'GET',
      path,
      host: 'api.example',
      scheme: 'https',
      headerMap,
      ...more,
    })
  }
  const bearer = (token: string) => ['authorization', `Bearer ${token}`]
  return { ...running, envoy, ask, bearer }
}

t.test('an allowed request is labelled, and rid of what a client said', async (t) => {
  const { ask, bearer, issuer, accessLines } = await start(t)
  const token = issuer.access({ 'cognito:groups': ['admins'] })
  const spoofed = [
    'x-auth-subject',
    'x',
    'x_auth_groups',
    'x',
    'x-auth-role',
    'x',
    'x-request-id',
    'r-1',
  ]
  const answer = await ask('/admin/x?y', [...bearer(token), ...spoofed])
  t.match(answer, { allowed: true, headers: { 'x-auth-groups': 'admins' } })
  t.match(answer.headers['x-auth-subject'], /^6235a4f4-/)
  t.same([...answer.remove].sort(), ['x-auth-email', 'x-auth-role', 'x_auth_groups'])
  t.match(accessLines(), [
    {
      request_id: 'r-1',
      endpoint: 'ext-authz-grpc',
      client: '192.0.2.9',
      method: 'GET',
      host: 'api.example',
      path: '/admin/x',
      status: 200,
      route: 'admin',
      decision: 'allow',
    },
  ])
  const open = await ask('/public/x', ['x-auth-subject', 'x'])
  t.match(open, { allowed: true, headers: {} })
  t.ok(open.remove.includes('x-auth-subject'))
})

t.test('a denial is the answer that the proxy would have given', async (t) => {
  const { ask, bearer, issuer } = await start(t)
  const missing = await ask('/api/x')
  t.match(missing, { allowed: false, status: 401 })
  t.match(missing.headers, {
    'www-authenticate': /^Bearer/,
    'content-type': /json/,
    'x-poolgate-reason': 'credential_missing',
  })
  t.match(JSON.parse(missing.body), { error: 'unauthorized', reason: 'credential_missing' })
  t.match(await ask('/admin/x', bearer(issuer.access())), { allowed: false, status: 403 })
  t.match(await ask('/nowhere'), { allowed: false, status: 404 })
  t.match(await ask('/_poolgate/x'), { allowed: false, status: 404 })
})

t.test('F-02, F-10: what is missing, doubled or confusing is denied', async (t) => {
  const { ask, envoy, bearer, issuer } = await start(t)
  const good = bearer(issuer.access())
  const denied = async (answer: ReturnType<typeof ask>, status: number, reason: string) =>
    t.match(await answer, { allowed: false, status, headers: { 'x-poolgate-reason': reason } })
  await denied(ask('/public/../api/x', good), 400, 'target_ambiguous')
  await denied(ask('//api/x', good), 400, 'target_ambiguous')
  await denied(ask('/api/x', [...good, ...good]), 400, 'credential_ambiguous')
  await denied(ask('/api/x', [...good, 'x-original-url', '/public']), 400, 'request_malformed')
  await denied(ask('/api/x', [...good, 'host', 'other.example']), 400, 'request_malformed')
  await denied(ask('/api/x', good, { host: '' }), 400, 'request_malformed')
  for (const method of ['get', 'Post', 'FOO', ''])
    await denied(ask('/public/x', good, { method }), 400, 'request_malformed')
  await denied(ask('/api/x', [...good, 'expect', 'tea']), 417, 'expectation_failed')
  await denied(ask('/api/x', [...good, 'x', 'x'.repeat(33_000)]), 431, 'headers_too_large')
  await denied(ask('', good, { method: 'CONNECT' }), 405, 'method_not_allowed')
  await denied(ask('', good), 400, 'request_malformed')
  await denied(ask('/api/x', good, { headers: { a: 'b' } }), 400, 'request_malformed')
  await denied(envoy.ask(), 400, 'request_malformed')
  t.match(await ask('/api/x', [...good, 'host', 'api.example']), { allowed: true })
})

t.test('headers joined by name are read too', async (t) => {
  const { envoy, issuer } = await start(t)
  const headers = { authorization: `Bearer ${issuer.access()}`, ':path': '/api/x', accept: '*/*' }
  const http = { method: 'GET', path: '/api/x', host: 'api.example', scheme: 'http', headers }
  t.match(await envoy.ask(http), { allowed: true })
  const two = { ...headers, authorization: `${headers.authorization},${headers.authorization}` }
  t.match(await envoy.ask({ ...http, headers: two }), { allowed: false, status: 401 })
})

t.test('F-01: nobody who is not trusted gets a verdict', async (t) => {
  const more = 'trustedProxies: [10.0.0.0/8]\nextAuthz: 127.0.0.1:0'
  const { ask, bearer, issuer, accessLines } = await start(t, { more })
  const answer = await ask('/api/x', bearer(issuer.access()))
  t.match(answer, { allowed: false, status: 403 })
  t.equal(answer.headers['x-poolgate-reason'], 'decision_untrusted_peer')
  t.match(accessLines(), [{ client: '127.0.0.1', detail: /add 127\.0\.0\.1\/32/ }])
})

t.test('F-12: without keys nobody is let through', async (t) => {
  const { ask, bearer, issuer } = await start(t, { keys: { keys: [] } })
  const answer = await ask('/api/x', bearer(issuer.access()))
  t.match(answer, { allowed: false, status: 503, headers: { 'retry-after': /^\d+$/ } })
})

t.test('what only the proxy would take out again, Envoy is told to', async (t) => {
  const routes = `
  - {name: a, match: {path: /a/*}, access: authenticated, upstream: none, forwardToken: false}
  - {name: b, match: {path: /b/*}, access: authenticated, upstream: up, credentials: {query: token}, cors: {origins: ['https://app.example']}}
`
  const { ask, bearer, issuer } = await start(t, { routes })
  const token = issuer.access()
  t.ok((await ask('/a/x', bearer(token))).remove.includes('authorization'))
  t.match(await ask(`/b/x?token=${token}`), { allowed: true, removeQuery: ['token'] })
  const preflight = ['origin', 'https://app.example', 'access-control-request-method', 'GET']
  const answer = await ask('/b/x', preflight, { method: 'OPTIONS' })
  t.match(answer, { allowed: false, status: 204, body: '' })
  t.equal(answer.headers['access-control-allow-origin'], 'https://app.example')
})

t.test('it speaks TLS, and on a unix socket, where it is told to', async (t) => {
  // Short enough for the path of a socket.
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const { cert, key } = createSelfSigned()
  writeFileSync(join(dir, 'cert.pem'), cert)
  writeFileSync(join(dir, 'key.pem'), key)
  const tls = `tls: {cert: '${dir}/cert.pem', key: '${dir}/key.pem'}`
  const more = `trustedProxies: [127.0.0.1]\nextAuthz: {address: '127.0.0.1:0', ${tls}}`
  const secured = await start(t, { more }, grpc.credentials.createSsl(Buffer.from(cert)))
  t.match(await secured.ask('/public/x'), { allowed: true })
  const path = join(dir, 's')
  const local = await start(t, { more: `trustedProxies: [unix]\nextAuthz: 'unix:${path}'` })
  t.match(await local.ask('/public/x'), { allowed: true })
})

t.test('what is under way is answered before the gateway stops', async (t) => {
  const waiting: ServerResponse[] = []
  const { ask, bearer, issuer, gateway, adminOrigin } = await start(t, {
    keys: (_: IncomingMessage, response: ServerResponse) => void waiting.push(response),
  })
  const asked = ask('/api/x', bearer(issuer.access()))
  await eventually(
    'the check',
    async () => (await scrape(adminOrigin, 'poolgate_active_requests')) === 1,
  )
  const stopped = gateway.stop()
  for (const response of waiting) response.end(JSON.stringify(issuer.jwks()))
  t.match(await asked, { allowed: true })
  await stopped
})

t.test('a method is one of HTTP’s, letter by letter', async (t) => {
  const { ask, bearer, issuer } = await start(t)
  for (const method of ['get', 'Get', '', 'G E', 'PATCHED']) {
    const answer = await ask('/api/x', bearer(issuer.access()), { method })
    t.match(answer, { allowed: false, status: 400 }, method)
  }
})

t.test('strangers are few at a time, and a large message is none', async (t) => {
  const { issuer, extAuthz, ask, bearer } = await start(t, {
    more: 'trustedProxies: [10.0.0.0/8]\nextAuthz: 127.0.0.1:0',
  })
  const asked = await ask('/api/x', bearer(issuer.access()))
  t.equal(asked.headers['x-poolgate-reason'], 'decision_untrusted_peer')
  const [host = '', port] = extAuthz.split(':')
  const sockets = Array.from({ length: 8 }, () => connect(Number(port), host))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  let closed = 0
  for (const socket of sockets)
    socket
      .resume()
      .on('error', () => {})
      .on('close', () => closed++)
  await eventually('the ones too many are cut', () => closed >= 5)
  const trusted = await start(t)
  const large = ['x-large', 'a'.repeat(300_000)]
  await t.rejects(trusted.ask('/public/x', large), { code: grpc.status.RESOURCE_EXHAUSTED })
})
