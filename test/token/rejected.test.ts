// How client-made text gets into a log line.
import t from 'tap'
import { toQuoted, toRejected } from '../../src/token/rejected.ts'

t.test('a refusal is a value with its reason and detail', async (t) => {
  t.same(toRejected('token_use', 'why'), { rejected: true, reason: 'token_use', detail: 'why' })
})

t.test('text is quoted and its control characters are escaped', async (t) => {
  t.equal(toQuoted('a"b\r\n\0'), '"a\\"b\\r\\n\\u0000"')
})

t.test('64 characters are shown whole, more are cut', async (t) => {
  t.equal(toQuoted('k'.repeat(64)), `"${'k'.repeat(64)}"`)
  t.equal(toQuoted('k'.repeat(65)), `"${'k'.repeat(64)}…"`)
})

t.test('anything but text is shown by its type alone', async (t) => {
  t.same([null, undefined, 5, true, [], {}].map(toQuoted), [
    'null',
    'undefined',
    'number',
    'boolean',
    'object',
    'object',
  ])
})
