// Which URLs may be upstream targets, and which may vouch for tokens.
import t from 'tap'
import { isRedisUrl, isTrustworthyUrl, parseOrigin } from '../../src/config/web-address.ts'

t.test('a target is an origin and is brought to its plain form', async (t) => {
  for (const [text, origin] of [
    ['http://10.0.1.10:8080', 'http://10.0.1.10:8080'],
    ['https://orders.internal', 'https://orders.internal'],
    ['http://Orders/', 'http://orders'],
    ['http://orders:80', 'http://orders'],
    ['http://my_service:3000', 'http://my_service:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ] as const) {
    t.equal(parseOrigin(text), origin, text)
  }
})

t.test('a store is named by a host, and what it takes to be let in', async (t) => {
  for (const text of ['redis://a', 'rediss://u:p%40@[::1]:6380/15', 'redis://:p@10.0.0.1/']) {
    t.equal(isRedisUrl(text), true, text)
  }
  for (const text of [
    'http://a',
    'redis:a',
    'redis://',
    'redis://:%zz@a',
    'redis://%e0@a',
    'redis://a:65536',
    'redis://a/x',
  ]) {
    t.equal(isRedisUrl(text), false, text)
  }
})

t.test('a target is nothing more than an origin', async (t) => {
  const texts = ['http://a/b', 'http://a/?q', 'http://a?q', 'http://a#f', 'http://u:p@a', 'ftp://a']
  for (const text of [
    ...texts,
    'a:80',
    '//a',
    'http://',
    'http://a:99999',
    'http://a\\b',
    'http:a',
    ' http://a',
  ]) {
    t.equal(parseOrigin(text), undefined, text)
  }
})

t.test('keys and issuers stand behind https, or on this machine', async (t) => {
  for (const text of [
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A',
    'http://127.0.0.1:9229/local_1',
    'http://127.255.0.9',
    'http://localhost/x',
    'http://[::1]:8080/x',
  ]) {
    t.equal(isTrustworthyUrl(text), true, text)
  }
  for (const text of [
    'http://example.com/x',
    'http://10.0.0.1/x',
    'http://128.0.0.1/x',
    'http://localhost.example.com/x',
    'http://127.0.0.1.example.com/x',
    'http://[::2]/x',
    'https://user:secret@example.com/x',
    'https://example.com/x?y',
    'https://example.com/x#y',
    'https:\\\\example.com',
    'file:///etc/passwd',
    'https://',
    '',
  ]) {
    t.equal(isTrustworthyUrl(text), false, text)
  }
})
