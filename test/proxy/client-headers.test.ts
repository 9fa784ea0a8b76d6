// What a client gets of an upstream's fields: all of them, but for what ends at a hop and what only Poolgate may say.
import t from 'tap'
import { compileOwnCookies } from '../../src/http/own-cookies.ts'
import { compileClientHeaders } from '../../src/proxy/client-headers.ts'

const build = compileClientHeaders(['x-who', 'x-auth-subject'])

t.test('order, lines, case and bytes stay', async (t) => {
  const headers = ['Set-Cookie', 'a', 'X-B', '\xe9', 'set-cookie', 'b', 'Content-Length', '2']
  t.same(build(headers), headers)
  t.same(build(headers), headers, 'also the second time')
  t.same(build([]), [])
})

t.test('fields of the hop go, and those that Connection names', async (t) => {
  const headers = [
    'Connection',
    'close, X-A',
    'x-a',
    '1',
    'X-B',
    '2',
    'CONNECTION',
    'x-c',
    'X-C',
    '3',
  ]
  t.same(build(headers), ['X-B', '2'])
  for (const name of [
    'Transfer-Encoding',
    'Keep-Alive',
    'Upgrade',
    'Trailer',
    'Proxy-Authenticate',
  ])
    t.same(build([name, 'x']), [], name)
})

t.test('Connection cannot take the length away', async (t) => {
  t.same(build(['Connection', 'content-length', 'Content-Length', '2']), ['Content-Length', '2'])
})

t.test('identity fields go in every spelling', async (t) => {
  for (const name of ['X-Who', 'x_who', 'X.Auth.Subject', 'X-AUTH-anything', 'x-amzn-oidc-data'])
    t.same(build([name, 'root']), [], name)
  t.same(build(['X-Whom', 'a', 'X-Authority', 'b']), ['X-Whom', 'a', 'X-Authority', 'b'])
})

t.test('names beyond those remembered are judged alike', async (t) => {
  for (let i = 0; i < 600; i++) t.equal(build([`X-${i}`, '', `X-Auth-${i}`, '']).length, 2)
})

t.test('an upstream sets no cookie that is the gateway’s own (H-25)', async (t) => {
  const build = compileClientHeaders([], compileOwnCookies(['__Host-app']))
  const kept = ['Set-Cookie', 'a=1', 'set-cookie', '__Host-other=1; Path=/']
  const dropped = [
    'Set-Cookie',
    '__Host-app=1',
    'SET-COOKIE',
    '__Host-app.1=1; Path=/',
    'set-cookie',
    '__Host-poolgate-web=',
  ]
  t.strictSame(build([...dropped, ...kept]), kept)
})
