// Starts and stops the stand-in for S3: one bucket in memory, on loopback, for whom the dev pool's identity pool gave credentials.
import { createServer } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import { listenOn } from '../../base/listen.ts'
import type { Issued } from '../identity/issued-credentials.ts'
import { createObjects } from './objects.ts'
import { createS3Handler } from './s3-handler.ts'

export interface S3StandInOptions {
  readonly clock: Clock
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Whose signatures count. */
  find(accessKeyId: string): Issued | undefined
  /** Whose role may do everything; undefined: nobody's. */
  adminRole(): string | undefined
  /** Of all objects together. Default: 64 MiB. */
  readonly maxBytes?: number | undefined
  /** A defect of the stand-in itself. */
  readonly onFault?: (error: unknown) => void
}

export interface S3StandIn {
  readonly origin: string
  readonly region: string
  readonly bucket: string
  stop(): Promise<void>
}

const REGION = 'eu-west-1'
const BUCKET = 'dev-files'
const MAX_BYTES = 64 * 1024 * 1024

/** Rejects with the system's error when the port is taken. */
export async function startS3StandIn(options: S3StandInOptions): Promise<S3StandIn> {
  const { clock, port, find, adminRole, maxBytes = MAX_BYTES, onFault = () => {} } = options
  const objects = createObjects(clock, maxBytes)
  const text = { 'content-type': 'text/plain; charset=utf-8' }
  objects.put('public/welcome.txt', Buffer.from('Everybody may read this.\n'), text)
  const parts = { clock, find, adminRole, objects, region: REGION, bucket: BUCKET }
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 60_000, connectionsCheckingInterval: 1_000 },
    createS3Handler(parts, onFault),
  )
  const address = await listenOn(server, { kind: 'tcp', host: '127.0.0.1', port })
  return {
    origin: `http://${address}`,
    region: REGION,
    bucket: BUCKET,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
