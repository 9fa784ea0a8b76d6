// The origin that a browser sees is one of the configured ones, chosen by the Host and by nothing else.
import t from 'tap'
import { compileOrigins } from '../../src/session/own-origin.ts'
import { toFacts } from '../support/sign-in-stage.ts'

const originAt = compileOrigins([
  'https://app.example.com',
  'https://app.example.com:8443',
  'http://localhost:8080',
  'http://[::1]',
])

const at = (host: string, ...headers: string[]) => originAt(toFacts('/', { host, headers }))

t.test('a default port may be written or not', async (t) => {
  t.equal(at('app.example.com'), 'https://app.example.com')
  t.equal(at('app.example.com:443'), 'https://app.example.com')
  t.equal(at('APP.example.com.'), 'https://app.example.com')
  t.equal(at('app.example.com:8443'), 'https://app.example.com:8443')
  t.equal(at('localhost:8080'), 'http://localhost:8080')
  t.equal(at('[::1]'), 'http://[::1]')
  t.equal(at('[::1]:80'), 'http://[::1]')
})

t.test('another host or port is none of them', async (t) => {
  for (const host of ['app.example.com:80', 'app.example.com:444', 'localhost', 'evil.example']) {
    t.equal(at(host), undefined, host)
  }
})

t.test('B-02: X-Forwarded-* fields choose nothing', async (t) => {
  const forged = ['X-Forwarded-Host', 'app.example.com', 'X-Forwarded-Proto', 'https']
  t.equal(at('evil.example', ...forged), undefined)
  const misled = ['X-Forwarded-Host', 'evil.example', 'Forwarded', 'host=evil.example']
  t.equal(at('app.example.com', ...misled), 'https://app.example.com')
})

t.test('where two origins share a host the first one counts', async (t) => {
  const first = compileOrigins(['http://localhost', 'https://localhost'])
  t.equal(first(toFacts('/', { host: 'localhost' })), 'http://localhost')
  t.equal(first(toFacts('/', { host: 'localhost:443' })), 'https://localhost')
})
