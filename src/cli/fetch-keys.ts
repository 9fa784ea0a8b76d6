// The keys of one user pool, fetched once for a command that judges tokens offline. What it started has to be stopped.
import type { Clock } from '../base/clock.ts'
import { fetchJson } from '../base/fetch-json.ts'
import type { Config } from '../config/schema.ts'
import { createKeyRefresh, type KeyRefresh } from '../token/key-refresh.ts'
import { readSeed } from '../token/read-seed.ts'
import type { UserPoolSettings } from '../token/user-pool.ts'

type Pool = Config['userPools'][string]

/** Resolves after the first attempt. @param failed gets every problem, without secrets */
export async function fetchKeys(
  pool: Pool,
  clock: Clock,
  failed: (problem: string) => void,
): Promise<KeyRefresh> {
  const keys = createKeyRefresh(
    { jwksUri: pool.jwksUri, refreshMs: pool.jwksRefreshMs, maxStaleMs: pool.jwksMaxStaleMs },
    {
      clock,
      random: Math.random,
      fetchJwks: (url) => fetchJson(url, { clock, deadlineMs: 3_000, maxBytes: 65_536 }),
      onRetired: () => {},
      onChange: (problem) => {
        if (problem !== undefined) failed(problem)
      },
    },
  )
  const seed = readSeed(pool.jwksFile)
  if (seed.problem !== undefined) failed(seed.problem)
  await keys.start(seed.document)
  return keys
}

export function toPoolSettings(name: string, pool: Pool): UserPoolSettings {
  return { ...pool, name, issuers: pool.issuer, resources: pool.resource }
}
