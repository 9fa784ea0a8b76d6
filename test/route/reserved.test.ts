// The gateway's own paths, however they are written.
import t from 'tap'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { compileReserved } from '../../src/route/reserved.ts'

function check(prefix: string, raw: string): boolean | 'refused' {
  const target = parseRequestTarget(raw, 'a')
  return 'refused' in target ? 'refused' : compileReserved(prefix)(target)
}

t.test('the prefix and all below it, not what only begins alike', async (t) => {
  for (const path of ['/_poolgate', '/_poolgate/', '/_poolgate/x/y', '/_poolgate?x']) {
    t.equal(check('/_poolgate', path), true, path)
  }
  for (const path of [
    '/',
    '/_poolgates',
    '/_poolgat',
    '/x/_poolgate',
    '/_pool/gate',
    '/?/_poolgate',
  ])
    t.equal(check('/_poolgate', path), false, path)
})

t.test('every looser reading of the prefix is reserved too', async (t) => {
  for (const path of [
    '/_POOLGATE/x',
    '/_Poolgate',
    '/_poolgate;a/x',
    '/_poolgate;a',
    '/_pool%67ate/x',
    '/%5Fpoolgate/x',
    '/%255fpoolgate/x',
    '/%255FPOOLGATE;x/y',
    '/_poolgate%3bx/y',
    '/_poolgate%253bx/y',
    '/_poolgate/%25c0%25ae;X',
  ]) {
    t.equal(check('/_poolgate', path), true, path)
  }
  for (const path of ['/X;/_poolgate', '/_poolgateS/x', '/%25255fpoolgate/x', '/;_poolgate/x'])
    t.equal(check('/_poolgate', path), false, path)
})

t.test('a prefix of several segments, with capitals', async (t) => {
  for (const path of ['/Own/Gate', '/own/gate/x', '/OWN;a/gat%65;b/x'])
    t.equal(check('/Own/Gate', path), true, path)
  for (const path of ['/own', '/Own/Gates', '/own;/x/gate', '/X/Own/Gate'])
    t.equal(check('/Own/Gate', path), false, path)
})
