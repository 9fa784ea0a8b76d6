// What telemetry gets of a request that was refused before it was one: nothing of it is known but who sent it.
import type { Clock } from '../base/clock.ts'
import type { ExchangeRecord } from '../telemetry/exchange-record.ts'
import type { EarlyRefusal } from './listener.ts'

export function toEarlyRecord(
  { id, reason, detail, status, address }: EarlyRefusal,
  clock: Pick<Clock, 'now'>,
): ExchangeRecord {
  return {
    id,
    reason,
    detail,
    status,
    clientAddress: address,
    startedAtMs: clock.now(),
    decision: 'deny',
    outcome: 'complete',
    endpoint: '',
    method: '',
    host: '',
    path: '',
    route: '',
    routeIndex: -1,
    subject: '',
    userPool: '',
    clientId: '',
    upstream: '',
    target: '',
    attempts: 0,
    durationMs: 0,
    overheadMs: 0,
    upstreamMs: -1,
    requestBytes: 0,
    responseBytes: 0,
  }
}
