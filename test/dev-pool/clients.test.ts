// The dev pool's app clients, and which URLs a browser may be sent to.
import t from 'tap'
import {
  createClients,
  isSecretOf,
  SERVER_CLIENT_ID,
  SERVER_CLIENT_SECRET,
  WEB_CLIENT_ID,
} from '../../src/dev-pool/clients.ts'

const clients = createClients()

t.test('any http URL on loopback is a callback, as a browser reads it', async (t) => {
  const good: [string, string][] = [
    ['http://localhost', 'http://localhost/'],
    ['http://localhost:8080/_poolgate/callback', 'http://localhost:8080/_poolgate/callback'],
    ['http://127.0.0.1:1/a?b=c', 'http://127.0.0.1:1/a?b=c'],
    ['http://127.9.9.9/', 'http://127.9.9.9/'],
    ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ['http://app.localhost:1/', 'http://app.localhost:1/'],
    ['HTTP://LOCALHOST/x', 'http://localhost/x'],
  ]
  for (const [url, target] of good) {
    t.equal(clients.toCallback(url), target, url)
    t.equal(clients.toLogoutTarget(url), target, url)
  }
})

t.test('no other URL is', async (t) => {
  const bad = [
    '',
    'localhost',
    '/callback',
    '//localhost/',
    'https://localhost/',
    'http://evil.example/',
    'http://localhost.evil.example/',
    'http://evil.example/@localhost/',
    'http://localhost@evil.example/',
    'http://evil.example@localhost/',
    'http://notlocalhost/',
    'http://10.0.0.1/',
    'http://127.0.0.1.evil.example/',
    'http://localhost/#fragment',
    'http://localhost/#',
    'http://localhost/\r\nset-cookie:x',
    'http://local\thost/',
    ' http://localhost/',
    'javascript:alert(1)',
    'data:text/html,x',
  ]
  for (const url of bad) {
    t.equal(clients.toCallback(url), undefined, JSON.stringify(url))
    t.equal(clients.toLogoutTarget(url), undefined, JSON.stringify(url))
  }
})

t.test('a list of URLs is taken word for word, and each list is for one use', async (t) => {
  const listed = createClients({
    callbackUrls: ['https://app.example/callback'],
    logoutUrls: ['https://app.example/'],
  })
  t.equal(listed.toCallback('https://app.example/callback'), 'https://app.example/callback')
  t.equal(listed.toLogoutTarget('https://app.example/'), 'https://app.example/')
  for (const url of [
    'https://app.example/',
    'https://app.example/callback/',
    'https://app.example/callback?x=1',
    'https://APP.example/callback',
    'http://localhost/callback',
  ]) {
    t.equal(listed.toCallback(url), undefined, url)
  }
  t.equal(listed.toLogoutTarget('https://app.example'), undefined)
})

t.test('only the client with a secret has one, and only that one', async (t) => {
  const [web, server] = [clients.find(WEB_CLIENT_ID), clients.find(SERVER_CLIENT_ID)]
  if (web === undefined || server === undefined) throw new Error('both are there')
  t.ok(isSecretOf(web, undefined))
  t.notOk(isSecretOf(web, 'x'))
  t.ok(isSecretOf(server, SERVER_CLIENT_SECRET))
  for (const secret of [undefined, '', 'x', `${SERVER_CLIENT_SECRET}x`]) {
    t.notOk(isSecretOf(server, secret))
  }
  t.equal(clients.find('toString'), undefined)
})
