// Decides which finished exchanges get an access line, and hands the line to the log. Never changes a record.
import { toAccessLine } from './access-line.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { Log } from './log.ts'

/** `errors`: only what was answered with 400 or above, or not answered whole. */
export type AccessLogScope = 'all' | 'errors' | 'none'

/**
 * A function that logs one finished exchange.
 * @param scope asked each time, since a reload may change it
 */
export function createAccessLog(
  log: Pick<Log, 'access'>,
  scope: () => AccessLogScope,
): (record: ExchangeRecord) => void {
  const toTime = createTimestamp()
  return (record) => {
    const which = scope()
    if (which === 'all' || (which === 'errors' && isError(record))) {
      log.access(toAccessLine(record, toTime(record.startedAtMs)))
    }
  }
}

function isError({ status, outcome }: ExchangeRecord): boolean {
  return status >= 400 || status === 0 || outcome !== 'complete'
}

/** ISO 8601 in UTC. Formatting a date costs as much as the rest of the line, so one second is formatted once. */
function createTimestamp(): (wallMs: number) => string {
  let second = Number.NaN
  let upToSecond = ''
  return (wallMs) => {
    const wholeMs = Math.floor(wallMs)
    const ms = wholeMs % 1000
    if (wholeMs - ms !== second) {
      second = wholeMs - ms
      upToSecond = new Date(second).toISOString().slice(0, -4)
    }
    return `${upToSecond}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
  }
}
