// The kinds of value: bounds from both sides, and messages that never repeat a value.
import t from 'tap'
import type { z } from 'zod'
import * as fields from '../../src/config/fields.ts'

function outcome(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  return parsed.success ? parsed.data : parsed.error.issues.map(({ message }) => message).join()
}

t.test('a duration is bounded on both sides', async (t) => {
  const schema = fields.duration(1_000, 60_000)
  t.equal(outcome(schema, '1s'), 1_000)
  t.equal(outcome(schema, '60s'), 60_000)
  t.equal(outcome(schema, '999ms'), 'must be at least 1s')
  t.equal(outcome(schema, '60001ms'), 'must be at most 1m')
})

t.test('a size is bounded on both sides', async (t) => {
  const schema = fields.size(1024, 4096)
  t.equal(outcome(schema, '1KiB'), 1024)
  t.equal(outcome(schema, '4KiB'), 4096)
  t.equal(outcome(schema, '1023B'), 'must be at least 1KiB')
  t.equal(outcome(schema, '4097B'), 'must be at most 4KiB')
})

t.test('a count is a whole number and bounded on both sides', async (t) => {
  const schema = fields.count(1, 3)
  t.equal(outcome(schema, 1), 1)
  t.equal(outcome(schema, 3), 3)
  for (const value of [0, 4]) {
    t.equal(outcome(schema, value), 'expected a whole number from 1 to 3')
  }
  t.equal(outcome(schema, 1.5), 'expected a whole number from 1 to 3, found a number')
  t.equal(outcome(schema, '2'), 'expected a whole number from 1 to 3, found text')
})

t.test('none is a word beside durations and sizes, where it is allowed', async (t) => {
  t.equal(outcome(fields.durationOrNone(10, 1_000), 'none'), 'none')
  t.equal(outcome(fields.durationOrNone(10, 1_000), '10ms'), 10)
  t.equal(outcome(fields.durationOrNone(10, 1_000), '9ms'), 'must be at least 10ms')
  t.equal(outcome(fields.durationOrNone(10, 1_000), '1001ms'), 'must be at most 1s')
  t.equal(outcome(fields.sizeOrNone(), 'none'), 'none')
  t.equal(outcome(fields.sizeOrNone(), '0B'), 0)
  t.match(outcome(fields.sizeOrNone(), 'None'), /, or none$/)
  t.match(outcome(fields.duration(1, 2), 'none'), /^expected a duration/)
})

t.test('a wrong kind is named, its value is not', async (t) => {
  t.match(outcome(fields.duration(0, 1), 5), /^expected a duration .*, found a number$/)
  t.match(outcome(fields.text('a name'), ['secret']), /^expected a name, found a list$/)
  t.match(outcome(fields.text('a name'), undefined), /^is required: expected a name$/)
  t.equal(outcome(fields.flag(), 'secret'), 'expected true or false, found text')
  t.equal(
    outcome(fields.text('an id (text)'), 12),
    'expected an id (text), found a number; put it in quotes',
  )
  t.equal(outcome(fields.text('a name'), ''), 'expected a name')
})

t.test('one of a few words suggests the nearest', async (t) => {
  const schema = fields.oneOf(['access', 'id', 'any'])
  t.equal(outcome(schema, 'id'), 'id')
  t.equal(outcome(schema, 'acces'), 'expected one of access, id, any; did you mean "access"?')
  t.match(outcome(schema, null), /expected one of access, id, any/)
})

t.test('kinds have names', async (t) => {
  t.strictSame([null, undefined, [], {}, '', 1, true].map(fields.kindOf), [
    'nothing',
    'nothing',
    'a list',
    'a mapping',
    'text',
    'a number',
    'a boolean',
  ])
})
