// What could never come about, and what browsers refuse, is told at load.
import t from 'tap'
import { checkCors } from '../../src/config/check-cors.ts'
import { toPathText } from '../../src/config/problem.ts'

function check(route: Record<string, unknown>) {
  return checkCors(route, ['r']).map(({ path, message }) => `${toPathText(path)}: ${message}`)
}

const origins = ['https://app.example']

t.test('* stands alone, and never with credentials', async (t) => {
  t.match(check({ cors: { origins: ['*'], credentials: true } }), [/^r\.cors\.credentials: /])
  t.match(check({ cors: { origins: ['*', ...origins] } }), [/^r\.cors\.origins: .*leave it alone/])
  t.same(check({ cors: { origins: ['*'], credentials: false } }), [])
  t.same(check({ cors: { origins, credentials: true } }), [])
})

t.test('a method that the route does not take can never be asked for', async (t) => {
  const cors = { origins, methods: ['GET', 'PUT'] }
  t.match(check({ match: { methods: ['GET'] }, cors }), [/^r\.cors\.methods\[1\]: .*never/])
  t.same(check({ match: {}, cors }), [])
})

t.test('the route’s own fields do not say what cors says', async (t) => {
  const responseHeaders = {
    set: { 'Access.Control.Allow-Origin': '*', 'x-a': '1' },
    remove: ['vary', 'access-control-max-age'],
  }
  t.equal(check({ cors: { origins }, responseHeaders }).length, 2)
  t.same(check({ responseHeaders }), [], 'without cors they are fields like any other')
  t.same(check({ cors: 'x' }), [], 'another shape is the schema’s to refuse')
})
