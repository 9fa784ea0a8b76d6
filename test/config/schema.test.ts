// The top of the file: what has to be there, and what is bounded.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createTokenCache } from '../../src/token/token-cache.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

const problems = (top: string) => messagesOf(createConfigText({ top }))

t.test('version and routes have to be there', async (t) => {
  t.match(messagesOf('{}\n'), [/^version: is required/, /^routes: is required/])
  for (const version of ['2', '"1"', 'null', '1.1']) {
    t.match(messagesOf(createConfigText({ version: `version: ${version}` })), [
      /^version: expected 1/,
    ])
  }
})

t.test('a gateway without routes is refused, one without user pools is not', async (t) => {
  t.match(messagesOf(createConfigText({ routes: 'routes: []' })), [
    /^routes: expected at least one route/,
  ])
  const routes = 'routes: [{name: a, match: {path: /*}, access: public, upstream: orders}]'
  t.strictSame(messagesOf(createConfigText({ userPools: '', routes })), [])
})

t.test('unknown keys are refused wherever they stand', async (t) => {
  t.match(problems('route: []'), [/^route: unknown key; did you mean "routes"/])
  t.match(problems('log: {levle: info}'), [/^log\.levle: unknown key; did you mean "level"/])
  t.match(problems('x-comment: hi'), [/^x-comment: unknown key$/])
})

t.test('the path prefix is one plain path', async (t) => {
  for (const prefix of ['/_poolgate', '/a', '/a/b.c', '/~x-y']) {
    t.strictSame(problems(`pathPrefix: ${prefix}`), [], prefix)
  }
  for (const prefix of [
    '/',
    'a',
    '/a/',
    '//a',
    '/a//b',
    '/.',
    '/a/..',
    '/a%20',
    '/a b',
    '/a?b',
    '/a;b',
    '/a/*',
  ]) {
    t.match(problems(`pathPrefix: ${prefix}`), [/^pathPrefix: expected a path/], prefix)
  }
})

t.test('identity headers are kept in lower case', async (t) => {
  const top = 'identityHeaders: {X-User: sub}'
  const { config } = loadConfig(createConfigText({ top }), 'c.yaml', {})
  t.strictSame(config.identityHeaders, { 'x-user': 'sub' })
  t.match(problems('identityHeaders: {x_user: sub}'), [
    /^identityHeaders\.x_user: expected a header name/,
  ])
  t.match(problems('identityHeaders: {x-user: ""}'), [
    /^identityHeaders\.x-user: expected the name of a claim/,
  ])
  t.match(problems('identityHeaders: [x-user]'), [
    /expected a mapping of header to claim, found a list/,
  ])
})

t.test('the token cache and the log are bounded', async (t) => {
  for (const top of [
    'tokenCache: {entries: 1, bytes: 1MiB, ttl: 1s}',
    'tokenCache: {entries: 10000000, ttl: 1h}',
  ]) {
    t.strictSame(problems(top), [])
  }
  for (const top of [
    '{entries: 0}',
    '{entries: 10000001}',
    '{bytes: 1048575B}',
    '{bytes: 2KiB}',
    '{ttl: 999ms}',
    '{ttl: 61m}',
  ]) {
    t.match(problems(`tokenCache: ${top}`), [/^tokenCache\./], top)
  }
  t.strictSame(problems('log: {level: warn, access: errors}'), [])
  t.match(problems('log: {level: trace}'), [/^log\.level: expected one of/])
  t.match(problems('log: {level: debug}'), [/^log\.level: /], 'there is nothing below info')
  t.match(problems('log: {access: off}'), [/^log\.access: expected one of all, errors, none/])
})

t.test('the smallest token cache that may be asked for holds the largest tokens', async (t) => {
  const { config } = loadConfig(
    createConfigText({ top: 'tokenCache: {bytes: 1MiB}' }),
    'c.yaml',
    {},
  )
  const cache = createTokenCache<object>(config.tokenCache)
  const token = 'x'.repeat(config.limits.headerBytes)
  cache.set(token, {})
  t.ok(cache.get(token))
  t.equal(cache.size(), 1)
})
