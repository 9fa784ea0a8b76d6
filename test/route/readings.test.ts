// The looser readings of a path: all combinations, and the ones that are refused.
import t from 'tap'
import { readingsOf } from '../../src/route/readings.ts'

t.test('a path has a twin with or without its last slash', async (t) => {
  t.same(readingsOf('/a'), ['/a/'])
  t.same(readingsOf('/a/'), ['/a'])
  t.same(readingsOf('/'), [])
})

t.test('readings combine', async (t) => {
  const readings = readingsOf('/A;v/%42%3Bw') ?? []
  for (const reading of [
    '/A;v/%42%3Bw/',
    '/a;v/%42%3bw',
    '/A/%42%3Bw',
    '/A;v/B;w',
    '/a;v/b;w',
    '/A/B',
    '/a/b',
    '/a/b/',
  ]) {
    t.ok(readings.includes(reading), reading)
  }
  t.notOk(readings.includes('/A;v/%42%3Bw'), 'itself is no other reading')
})

t.test('decoding once more is lenient, as a careless upstream is', async (t) => {
  t.ok(readingsOf('/%C3%A9')?.includes('/é'))
  t.ok(readingsOf('/%ff%41')?.includes('/%ffA'))
  t.ok(readingsOf('/100%')?.includes('/100%/'))
  t.ok(readingsOf('/%zz')?.includes('/%zz/'))
  t.ok(readingsOf('/%C3%A9%ff')?.includes('/é%ff'), 'what is valid, beside what is not')
  t.ok(readingsOf('/%C3%41')?.includes('/%C3A'))
  t.ok(readingsOf('/%e2%84%aa%F0%9F%98%80')?.includes('/\u212a😀'))
  for (const path of ['/%ed%a0%80', '/%c0%ae', '/%f7%bf%bf%bf', '/%80', '/%e2%84', '/%u0041']) {
    t.notOk(
      readingsOf(path)?.some((reading) => !reading.toLowerCase().startsWith(path)),
      `${path} is left`,
    )
  }
})

t.test('parameters are cut before decoding and after it', async (t) => {
  const readings = readingsOf('/a%3bb;c') ?? []
  for (const reading of ['/a%3bb', '/a;b', '/a;b;c', '/a'])
    t.ok(readings.includes(reading), reading)
})

t.test('case folds as the loosest upstream folds', async (t) => {
  t.ok(readingsOf('/\u212Aey')?.includes('/key'), 'the Kelvin sign')
  t.ok(readingsOf('/A\u00df')?.includes('/a\u00df'), 'sharp s as it is')
  t.ok(readingsOf('/A\u00df')?.includes('/ass'), 'and as it is in capitals')
  t.ok(readingsOf('/ADM\u0130N')?.includes('/admi\u0307n'))
  t.ok(readingsOf('/adm\u0131n')?.includes('/admin'), 'dotless i')
  t.ok(readingsOf('/u\u017fer')?.includes('/user'), 'long s')
})

t.test('a last segment that becomes empty is a last slash', async (t) => {
  t.ok(readingsOf('/a/;jsessionid=1')?.includes('/a/'))
  t.ok(readingsOf('/;x')?.includes('/'))
})

t.test('P-10: gained dot segments, empty segments and slashes refuse the path', async (t) => {
  for (const path of [
    '/a/%2e%2e/b',
    '/%2e',
    '/a%2fb',
    '/a%5Cb',
    '/a/..;x/b'.replace('..;x', '.%2e'),
    '/a/;x/b',
    '/;/',
    '/a/%3bx/b',
    '/%2e%3bx/a',
  ]) {
    t.equal(readingsOf(path), undefined, path)
  }
})
