// What an answer says to a browser: leave for the origins that are listed, and for nothing that merely looks like one.
import t from 'tap'
import { compileHeaderEdits } from '../../src/http/header-edits.ts'
import { type CorsSettings, compileCors, corsAnswerFor } from '../../src/policy/cors.ts'

const APP = 'https://app.example'
const settings: CorsSettings = {
  origins: [APP, 'http://localhost:3000'],
  headers: ['Authorization'],
  exposeHeaders: ['etag', 'x-total'],
  credentials: true,
  maxAgeMs: 90_500,
}
const compile = (changes: Partial<CorsSettings> = {}) =>
  compileCors({ ...settings, ...changes }, ['GET', 'PUT'], undefined)

const fieldsFor = (origin: string, changes: Partial<CorsSettings> = {}) =>
  corsAnswerFor(compile(changes), ['Origin', origin]).fields

t.test('a listed origin is told so, by its own name', async (t) => {
  t.same(fieldsFor(APP), {
    vary: 'Origin',
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'etag, x-total',
  })
  t.notOk('access-control-allow-credentials' in fieldsFor(APP, { credentials: false }))
  t.notOk('access-control-expose-headers' in fieldsFor(APP, { exposeHeaders: undefined }))
})

t.test('whoever is not gets nothing, and caches learn on what it hangs', async (t) => {
  t.same(fieldsFor('https://other.example'), { vary: 'Origin' })
  const none = corsAnswerFor(compile(), [])
  t.match(none, { isAllowed: false, fields: { vary: 'Origin' } })
  const twice = corsAnswerFor(compile(), ['Origin', APP, 'origin', APP])
  t.equal(twice.isAllowed, false, 'two of them are none')
})

t.test('* is everybody, in one answer', async (t) => {
  const open = { origins: ['*'], credentials: false, exposeHeaders: undefined }
  for (const origin of [APP, 'null']) {
    t.same(fieldsFor(origin, open), { 'access-control-allow-origin': '*' })
  }
})

t.test('an upstream’s own words on it are replaced, beside what the route changes', async (t) => {
  const own = compileHeaderEdits({ 'x-a': '1' }, ['server'])
  const { edits } = compileCors(settings, ['GET'], own).others
  t.ok(edits.names.has('access-control-allow-origin') && edits.names.has('server'))
  t.notOk(edits.names.has('vary'), 'what else an answer hangs on stays')
  t.same(edits.lines, ['x-a', '1', 'vary', 'Origin'])
})

t.test('a preflight’s answer is made at load', async (t) => {
  t.match(compile().permits, {
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'Authorization',
    'access-control-max-age': '90',
  })
})
