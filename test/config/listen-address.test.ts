// Where a listener binds: every accepted form, and why the others are refused.
import t from 'tap'
import { parseListenAddress } from '../../src/config/listen-address.ts'

t.test('host and port, bracketed IPv6 and socket paths are addresses', async (t) => {
  for (const [text, host, port] of [
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['localhost:0', 'localhost', 0],
    ['0.0.0.0:65535', '0.0.0.0', 65535],
    ['[::1]:80', '::1', 80],
    ['[::]:80', '::', 80],
    ['my-host.example:80', 'my-host.example', 80],
  ] as const) {
    t.strictSame(parseListenAddress(text), { kind: 'tcp', host, port }, text)
  }
  t.strictSame(parseListenAddress('unix:/run/p.sock'), { kind: 'unix', path: '/run/p.sock' })
})

t.test('a left-out host is not every interface', async (t) => {
  t.match(parseListenAddress(':8080'), { problem: /0\.0\.0\.0:PORT/ })
})

t.test('other texts are refused with a reason', async (t) => {
  const texts = [
    '',
    '8080',
    'localhost',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    '127.0.0.1:',
    '[]:80',
  ]
  for (const text of [
    ...texts,
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:http',
    'a b:80',
    '256.0.0.1:80',
  ]) {
    t.match(parseListenAddress(text), { problem: String }, text)
  }
  for (const text of [
    'http://localhost:80',
    'user@localhost:80',
    'unix:',
    'unix:run/p.sock',
    '-a:80',
  ]) {
    t.match(parseListenAddress(text), { problem: String }, text)
  }
})

t.test('a socket path may have 103 bytes and no more', async (t) => {
  t.match(parseListenAddress(`unix:/${'a'.repeat(102)}`), { kind: 'unix' })
  t.match(parseListenAddress(`unix:/${'a'.repeat(103)}`), { problem: /103 bytes/ })
})
