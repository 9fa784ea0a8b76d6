// Cookies of ours are written for one host and encrypted transport alone, and read by their exact names.
import t from 'tap'
import { cookiesOf, lastOfEach, toExpired, toSetCookie } from '../../src/session/own-cookies.ts'

t.test('every cookie has what its __Host- prefix demands, and more', async (t) => {
  t.equal(toSetCookie('__Host-a', 'v'), '__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Lax')
  t.equal(
    toSetCookie('__Host-a', 'v', 60),
    '__Host-a=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax',
  )
  t.match(toExpired('__Host-a'), /^__Host-a=; Max-Age=0; Path=\/; Secure;/)
})

t.test('cookies are found by the beginning of their names, in order, in every line', async (t) => {
  const headers = [
    ...['Host', '__Host-p-host=1'],
    ...['Cookie', 'a=1; __Host-p-2=two; __Host-p-1=x=y;__Host-p-3=  z '],
    ...['cookie', ' __Host-p-4=; x__Host-p-5=1; __Host-p-6; =__Host-p-7'],
  ]
  t.same(cookiesOf(headers, '__Host-p-'), [
    { name: '__Host-p-2', value: 'two' },
    { name: '__Host-p-1', value: 'x=y' },
    { name: '__Host-p-3', value: 'z' },
    { name: '__Host-p-4', value: '' },
  ])
  t.same(cookiesOf([], '__Host-p-'), [])
})

t.test('of several lines for one cookie the last is sent', async (t) => {
  t.same(lastOfEach(['a=1; x', 'b=1', 'a=2; y', 'ab=3']), ['a=2; y', 'b=1', 'ab=3'])
})
