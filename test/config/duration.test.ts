// Durations: what is one, what is none, and that writing and reading agree.
import t from 'tap'
import { parseDuration, toDuration } from '../../src/config/duration.ts'
import { fc } from '../support/fuzz.ts'

t.test('a duration is a whole number with ms, s, m or h', async (t) => {
  for (const [text, ms] of [
    ['0s', 0],
    ['1ms', 1],
    ['500ms', 500],
    ['5s', 5_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['007s', 7_000],
    ['999999999ms', 999_999_999],
  ] as const) {
    t.equal(parseDuration(text), ms, text)
  }
})

t.test('anything else is no duration', async (t) => {
  const texts = [
    '',
    '5',
    '5 s',
    ' 5s',
    '5s ',
    '5S',
    '-5s',
    '+5s',
    '1.5s',
    '5d',
    '1m30s',
    's',
    '5s\n',
  ]
  for (const text of [...texts, '1e3s', '٥s', '0x5s', '1000000000ms']) {
    t.equal(parseDuration(text), undefined, JSON.stringify(text))
  }
})

t.test('what is written is read as the same number of milliseconds', async () => {
  fc.assert(fc.property(fc.nat(999_999_999), (ms) => parseDuration(toDuration(ms)) === ms))
})

t.test('the largest unit that divides is written', async (t) => {
  t.strictSame([0, 1, 1_000, 90_000, 3_600_000].map(toDuration), ['0ms', '1ms', '1s', '90s', '1h'])
})
