// Which cookies are the gateway's own, in a request and in an upstream's answer.
import t from 'tap'
import { compileOwnCookies, setsOwnCookie } from '../../src/http/own-cookies.ts'

const isOwn = compileOwnCookies(['__Host-app', '__Host-poolgate-web'])

t.test('sessions, their parts and everything under the own prefix are', async (t) => {
  for (const name of [
    '__Host-app',
    '__Host-app.1',
    '__Host-app.12',
    '__Host-poolgate-web',
    '__Host-poolgate-web.3',
    '__Host-poolgate-attempt-x',
    '__Host-poolgate-',
  ]) {
    t.ok(isOwn(name), name)
  }
})

t.test('what only resembles them is not', async (t) => {
  for (const name of [
    '',
    'app',
    '__Host-app2',
    '__Host-app.x',
    '__Host-app.',
    '__host-app',
    '__Host-poolgat',
  ]) {
    t.notOk(isOwn(name), name)
  }
})

t.test('a Set-Cookie value is told by its name', async (t) => {
  t.ok(setsOwnCookie('__Host-app=x; Path=/', isOwn))
  t.ok(setsOwnCookie(' __Host-app =x', isOwn))
  t.ok(setsOwnCookie('__Host-poolgate-web.1; Path=/', isOwn))
  t.notOk(setsOwnCookie('a=__Host-app; Path=/', isOwn))
  t.ok(setsOwnCookie('=__Host-app=x', isOwn), 'without a name of its own')
  t.notOk(setsOwnCookie('=a', isOwn))
})
