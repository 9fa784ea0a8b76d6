// Reads the PEM files that an upstream's TLS settings name. That they are there and fit is checked before, where the configuration is.
import { readFileSync } from 'node:fs'
import type { UpstreamTls } from './engine.ts'

/** @param paths of files @throws where one cannot be read */
export function readTlsFiles({ ca, cert, key, serverName }: UpstreamTls): UpstreamTls {
  return {
    serverName,
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
    ...(cert !== undefined && { cert: readFileSync(cert, 'utf8') }),
    ...(key !== undefined && { key: readFileSync(key, 'utf8') }),
  }
}
