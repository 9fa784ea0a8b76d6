// What a log line looks like, which levels show, and that access lines keep their place among them.
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLog, type LogLevel } from '../../src/telemetry/log.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function createMemoryLog(level: LogLevel) {
  const lines: string[] = []
  const clock = createFakeClock()
  return {
    clock,
    lines,
    log: createLog({ level, clock, destination: { write: (line) => lines.push(line) } }),
  }
}

t.test('a line is one JSON object with time, level, fields and message', async (t) => {
  const { lines, log } = createMemoryLog('info')
  log.info({ userPool: 'main', text: 'a\n"b"\u001b' }, 'keys fetched')
  t.match(lines[0], /^[^\n]*\n$/)
  t.same(JSON.parse(lines[0] ?? ''), {
    time: '2026-11-23T12:00:00.000Z',
    level: 'info',
    userPool: 'main',
    text: 'a\n"b"\u001b',
    message: 'keys fetched',
  })
})

t.test('the time is the given clock’s', async (t) => {
  const { clock, lines, log } = createMemoryLog('info')
  await clock.advance(1500)
  log.warn({}, 'later')
  t.match(JSON.parse(lines[0] ?? ''), { time: '2026-11-23T12:00:01.500Z', level: 'warn' })
})

t.test('a level shows itself and what is graver', async (t) => {
  const levels = ['info', 'warn', 'error'] as const
  for (const [index, level] of levels.entries()) {
    const { lines, log } = createMemoryLog(level)
    for (const each of levels) log[each]({}, each)
    t.same(
      lines.map((line) => (JSON.parse(line) as { message: string }).message),
      levels.slice(index),
    )
  }
})

t.test('an error is told with its message and stack', async (t) => {
  const { lines, log } = createMemoryLog('info')
  log.error({ err: new Error('boom') }, 'failed')
  t.match(JSON.parse(lines[0] ?? ''), { err: { type: 'Error', message: 'boom', stack: /boom/ } })
})

t.test('access lines show at every level, as they are', async (t) => {
  const { lines, log } = createMemoryLog('error')
  log.access('{"status":200}\n')
  t.same(lines, ['{"status":200}\n'])
})

t.test('to a file: access lines and others in the order they were logged', async (t) => {
  const path = join(t.testdir(), 'log')
  const log = createLog({
    level: 'info',
    clock: createFakeClock(),
    destination: openSync(path, 'a'),
  })
  log.access('{"n":1}\n')
  log.info({ n: 2 }, 'two')
  log.access('{"n":3}\n')
  await log.flush()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  t.same(
    lines.map((line) => (JSON.parse(line) as { n: number }).n),
    [1, 2, 3],
  )
  t.equal(log.dropped(), 0)
})

t.test('a full disk costs lines and nothing else', async (t) => {
  const log = createLog({
    level: 'info',
    clock: createFakeClock(),
    destination: openSync('/dev/full', 'a'),
  })
  const line = `${'x'.repeat(1023)}\n`
  for (let count = 0; count < 5000; count++) log.access(line)
  log.error({}, 'still here')
  await log.flush()
  t.equal(log.dropped(), 5001 - 64 - 4096, '64 are being written and 4096 wait')
})
