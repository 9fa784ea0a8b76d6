// A finished exchange for tests of telemetry: an allowed GET, changed where a test says so.
import type { ExchangeRecord } from '../../src/telemetry/exchange-record.ts'

export function createExchangeRecord(changes: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    id: '0f1e2d3c',
    startedAtMs: Date.UTC(2026, 10, 23, 12, 0, 0, 7),
    endpoint: '',
    method: 'GET',
    host: 'api.example.com',
    path: '/admin/users',
    clientAddress: '192.0.2.7',
    status: 200,
    route: 'admin',
    routeIndex: 0,
    decision: 'allow',
    reason: '',
    detail: '',
    subject: 'f3a1c2d4',
    userPool: 'main',
    clientId: '4exampleclient0000000000001',
    upstream: 'orders',
    target: '',
    attempts: 1,
    outcome: 'complete',
    durationMs: 3.25,
    overheadMs: 0.125,
    upstreamMs: 2.5,
    requestBytes: 10,
    responseBytes: 2000,
    ...changes,
  }
}
