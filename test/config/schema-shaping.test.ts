// What a route may change, as it is written.
import t from 'tap'
import { headerEdits, rewrite } from '../../src/config/schema-shaping.ts'

const edits = headerEdits('')

t.test('prefixes are whole segments', async (t) => {
  for (const prefix of ['/api', '/a/b.c'])
    t.ok(rewrite.safeParse({ stripPrefix: prefix, addPrefix: prefix }).success, prefix)
  for (const prefix of ['api', '/', '/api/', '//a', '/../a', '/a?b', '/a%2fb', '/*', '/a;b'])
    t.notOk(rewrite.safeParse({ addPrefix: prefix }).success, prefix)
})

t.test('U-07: values hold nothing that could end a line', async (t) => {
  for (const value of ['a', 'max-age=1; preload', 'a, "b"'])
    t.ok(edits.safeParse({ set: { 'x-a': value } }).success, value)
  for (const value of ['', ' a', 'a ', 'a\r\nx: y', 'a\nb', 'a\0', 'a\tb', 'é', '\x7f', 1])
    t.notOk(edits.safeParse({ set: { 'x-a': value } }).success, JSON.stringify(value))
  for (const name of ['x_a', 'x a', 'x:a', ''])
    t.notOk(edits.safeParse({ remove: [name] }).success, name)
})
