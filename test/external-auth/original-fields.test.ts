// Each protocol goes by its own fields alone, and by one of each (catalogue rows F-02, F-03, F-04).
import t from 'tap'
import { compileOriginalFields } from '../../src/external-auth/original-fields.ts'

const read = compileOriginalFields(['x-forwarded-method', 'x-forwarded-uri'], 'stays')

t.test(
  'the values come in the protocol’s order, whatever the order and case of the fields',
  async (t) => {
    const headers = ['X-FORWARDED-URI', '/a', 'accept', '*', 'x-Forwarded-Method', 'GET']
    t.same(read(headers), ['GET', '/a'])
    t.same(read([...headers, 'X-Forwarded-For', '1.2.3.4', 'X-Real-IP', '1.2.3.4']), ['GET', '/a'])
  },
)

t.test('a field that is missing, or stands twice, denies', async (t) => {
  t.match(read(['x-forwarded-method', 'GET']), { detail: 'no x-forwarded-uri' })
  t.match(read([]), { reason: 'request_malformed', detail: 'no x-forwarded-method' })
  const twice = ['x-forwarded-uri', '/a', 'x-forwarded-method', 'GET', 'X-Forwarded-Uri', '/a']
  t.match(read(twice), { reason: 'request_malformed', detail: 'x-forwarded-uri twice' })
})

t.test('a field of another protocol, or an alias of one, denies', async (t) => {
  const own = ['x-forwarded-uri', '/a', 'x-forwarded-method', 'GET']
  for (const name of [
    'X-Original-URL',
    'x-original-uri',
    'X-Original-Method',
    'X_Forwarded_Uri',
    'x-forwarded_method',
    'X.Original.URL',
  ]) {
    t.match(read([...own, name, '/b']), { reason: 'request_malformed' }, name)
  }
  t.match(compileOriginalFields([], 'removed')(['x-forwarded-uri', '/a']), { refused: true })
  t.same(compileOriginalFields([], 'removed')(['x-forwarded-host', 'a']), [])
})

t.test('what could make another request of it is refused where nobody removes it', async (t) => {
  const own = ['x-forwarded-uri', '/a', 'x-forwarded-method', 'GET']
  for (const name of ['X-HTTP-Method-Override', 'x-method_override', 'X-Rewrite-URL']) {
    t.match(read([...own, name, 'x']), { reason: 'request_malformed' }, name)
    t.same(compileOriginalFields([], 'removed')([name, 'x']), [])
  }
})
