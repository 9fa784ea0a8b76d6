// The admin listener's server: short requests from operators, and nobody waits long for one.
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Config } from '../config/schema.ts'

export function createAdminServer(admin: Config['admin'], handle: RequestListener): Server {
  const options = {
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
  }
  if (admin === 'none' || admin.tls === undefined) return createServer(options, handle)
  const { cert, key } = admin.tls
  const pair = { cert: readFileSync(cert), key: readFileSync(key) }
  return createTlsServer({ ...options, ...pair, minVersion: 'TLSv1.2' }, handle)
}
