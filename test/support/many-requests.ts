// Many requests over kept connections, so many at a time, and how each of them ended.
import { type Agent, request as httpRequest } from 'node:http'

export interface Ending {
  /** 0 where not even a head came. */
  readonly status: number
  readonly bytes: number
  readonly complete: boolean
  readonly ms: number
}

export interface Asked {
  readonly method?: string
  readonly body?: string
  readonly agent: Agent
}

export function ask(url: string, { method = 'GET', body, agent }: Asked): Promise<Ending> {
  const begun = performance.now()
  return new Promise((resolve) => {
    let bytes = 0
    const end = (status: number, complete: boolean) =>
      resolve({ status, bytes, complete, ms: performance.now() - begun })
    const request = httpRequest(url, { method, agent }, (response) => {
      const { statusCode = 0 } = response
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('error', () => undefined)
      response.on('close', () => end(statusCode, response.complete))
    })
    request.on('error', () => end(0, false))
    request.end(body)
  })
}

/** Runs `one` for 0 to `count` - 1, `lanes` of them at a time, and returns what they returned. */
export async function inLanes<T>(
  count: number,
  lanes: number,
  one: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const drive = async () => {
    while (next < count) results.push(await one(next++))
  }
  await Promise.all(Array.from({ length: lanes }, drive))
  return results
}

/** How many there are of each. */
export function count(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** @param share between 0 and 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
