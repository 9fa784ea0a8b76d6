// Which exchanges get a line, and when they are said to have begun.
import t from 'tap'
import { type AccessLogScope, createAccessLog } from '../../src/telemetry/access-log.ts'
import type { ExchangeRecord } from '../../src/telemetry/exchange-record.ts'
import { createExchangeRecord } from '../support/exchange-record.ts'

function logged(scope: AccessLogScope, ...changes: Partial<ExchangeRecord>[]) {
  const lines: string[] = []
  const record = createAccessLog({ access: (line) => void lines.push(line) }, () => scope)
  for (const change of changes) record(createExchangeRecord(change))
  return lines.map((line) => JSON.parse(line) as { status: number; time: string })
}

const STATUSES = [0, 101, 200, 304, 399, 400, 401, 500].map((status) => ({ status }))

t.test('all: every exchange has a line', async (t) => {
  t.equal(logged('all', ...STATUSES).length, STATUSES.length)
})

t.test('none: no exchange has a line', async (t) => {
  t.equal(logged('none', ...STATUSES).length, 0)
})

t.test('errors: 400 and above and what was not answered', async (t) => {
  t.same(
    logged('errors', ...STATUSES).map(({ status }) => status),
    [0, 400, 401, 500],
  )
})

t.test('errors: an answer that was cut short too', async (t) => {
  const outcomes = ['complete', 'client_aborted', 'upstream_truncated'] as const
  t.equal(logged('errors', ...outcomes.map((outcome) => ({ outcome }))).length, 2)
})

t.test('the time is right to the millisecond, also when the clock steps back', async (t) => {
  const start = Date.UTC(2026, 10, 23, 12)
  const times = [0, 1, 999, 1000, 1010, 1100.75, 59_999, 60_000, 999, -1, 86_400_000]
  const lines = logged('all', ...times.map((ms) => ({ startedAtMs: start + ms })))
  t.same(
    lines.map(({ time }) => time),
    times.map((ms) => new Date(start + ms).toISOString()),
  )
})

t.test('a change of scope holds from the next exchange on', async (t) => {
  let scope: AccessLogScope = 'none'
  const lines: string[] = []
  const record = createAccessLog({ access: (line) => void lines.push(line) }, () => scope)
  record(createExchangeRecord())
  scope = 'all'
  record(createExchangeRecord())
  t.equal(lines.length, 1)
})
