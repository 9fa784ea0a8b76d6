// What the schema library complains about becomes findings that people can act on.
import t from 'tap'
import { z } from 'zod'
import { toDefaultMessage, toFindings } from '../../src/config/to-findings.ts'

function findings(schema: z.ZodType, value: unknown) {
  return toFindings(schema.safeParse(value, { error: toDefaultMessage }).error?.issues ?? [])
}

t.test('a wrong kind says what was expected and what was found', async (t) => {
  const schema = z.strictObject({ a: z.array(z.string()), b: z.strictObject({}) })
  t.strictSame(findings(schema, { a: { x: 1 }, b: 'text' }), [
    { path: ['a'], message: 'expected a list, found a mapping' },
    { path: ['b'], message: 'expected a mapping, found text' },
  ])
  t.strictSame(findings(schema, { a: [1] }), [
    { path: ['a', 0], message: 'expected text, found a number' },
    { path: ['b'], message: 'is required: expected a mapping' },
  ])
})

t.test('every unknown key is a finding of its own, at the key', async (t) => {
  t.strictSame(findings(z.strictObject({}), { lisen: 1, zzzzz: 2 }), [
    { path: ['lisen'], message: 'unknown key; did you mean "listen"?', part: 'key' },
    { path: ['zzzzz'], message: 'unknown key', part: 'key' },
  ])
})

t.test('a bad name of a member is found at its key', async (t) => {
  const schema = z.record(z.string().regex(/^a/, { error: 'expected an a' }), z.number())
  t.strictSame(findings(schema, { b: 1 }), [{ path: ['b'], message: 'expected an a', part: 'key' }])
})

t.test('a choice complains as the branch that was meant', async (t) => {
  const schema = z.union([z.literal('any'), z.array(z.number())], {
    error: 'expected any or a list',
  })
  t.strictSame(findings(schema, ['x']), [{ path: [0], message: 'expected a number, found text' }])
  t.strictSame(findings(schema, 'x'), [{ path: [], message: 'expected any or a list' }])
})
