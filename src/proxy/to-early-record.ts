// What telemetry gets of a request that was refused before it was one: nothing of it is known but who sent it.
import type { Clock } from '../base/clock.ts'
import { type ExchangeRecord, UNKNOWN } from '../telemetry/exchange-record.ts'
import type { EarlyRefusal } from './listener.ts'

export function toEarlyRecord(
  { id, reason, detail, status, address }: EarlyRefusal,
  clock: Pick<Clock, 'now'>,
): ExchangeRecord {
  return {
    ...UNKNOWN,
    id,
    reason,
    detail,
    status,
    clientAddress: address,
    startedAtMs: clock.now(),
    decision: 'deny',
  }
}
