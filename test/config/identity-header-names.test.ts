// Which header names may carry a claim, and which look alike to an upstream.
import t from 'tap'
import { HEADER_NAME_PATTERN, isTakenHeaderName } from '../../src/config/identity-header-names.ts'

t.test('a header name is a token without an underscore', async (t) => {
  for (const name of ['x-auth-subject', 'X-User', "a!#$%&'*+.^`|~", 'x'.repeat(64)]) {
    t.match(name, HEADER_NAME_PATTERN)
  }
  for (const name of ['', 'x_user', 'x user', 'x:y', 'x\n', 'é', '"x"', 'x'.repeat(65)]) {
    t.notMatch(name, HEADER_NAME_PATTERN)
  }
})

t.test('names with a meaning of their own are taken', async (t) => {
  const names = [
    'host',
    'connection',
    'transfer-encoding',
    'content-length',
    'authorization',
    'cookie',
  ]
  for (const name of [
    ...names,
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'x-request-id',
    'te',
  ]) {
    t.equal(isTakenHeaderName(name), true, name)
  }
  for (const name of ['x-auth-subject', 'x-user', 'x-amzn-oidc-identity', 'remote-user']) {
    t.equal(isTakenHeaderName(name), false, name)
  }
})
