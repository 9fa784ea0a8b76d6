// Keeps one user pool's key set: fetched early, refreshed in the background and on an unknown kid, served stale for a bounded time.
// The address comes from configuration alone; a failed fetch never changes the keys.
import { createBackoff } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { FetchJsonResult } from '../base/fetch-json.ts'
import { type KeySet, parseKeySet, type SigningKey } from './key-set.ts'

export interface KeyRefreshSettings {
  readonly jwksUri: string
  /** Milliseconds between background refreshes, give or take 10 %. */
  readonly refreshMs: number
  /** Milliseconds after the last good fetch for which its keys may be used. */
  readonly maxStaleMs: number
}

export interface KeyRefreshPorts {
  readonly clock: Clock
  readonly fetchJwks: (url: string) => Promise<FetchJsonResult>
  /** Evenly spread in [0, 1); jitter only. */
  readonly random: () => number
  /** Keys just left the set; whatever they verified must go. */
  readonly onRetired: (keys: readonly SigningKey[]) => void
  /** The state of the key endpoint changed: a problem, or undefined once it is well again. */
  readonly onChange: (problem: string | undefined) => void
}

export interface KeyRefreshStats {
  readonly keys: number
  /** Wall clock of the last good fetch in milliseconds; 0 when there was none. */
  readonly lastSuccessMs: number
  readonly fetched: number
  readonly failed: number
}

export interface KeyRefresh {
  /** Loads the seed document, when there is one, and begins fetching. Resolves after the first attempt. */
  start(seed: unknown): Promise<void>
  stop(): void
  find(kid: string): SigningKey | undefined
  /** False while there are no keys, or only keys that are too old. */
  usable(): boolean
  /** True when the last attempt to fetch failed. */
  failing(): boolean
  /** The fetch under way, or a forced one; undefined when one was forced less than 10 s ago. */
  refreshNow(): Promise<void> | undefined
  /** Whole seconds until another fetch may be made; at least 1. */
  retryAfterSeconds(): number
  stats(): KeyRefreshStats
}

const FORCED_INTERVAL_MS = 10_000
const NO_KEYS: KeySet = new Map()

export function createKeyRefresh(settings: KeyRefreshSettings, ports: KeyRefreshPorts): KeyRefresh {
  const { clock } = ports
  const backoff = createBackoff(ports.random)
  let keys: KeySet = NO_KEYS
  let underWay: Promise<void> | undefined
  let next: Timer | undefined
  let expiry: Timer | undefined
  let nextAtMs = 0
  let forcedAtMs = Number.NEGATIVE_INFINITY
  let failures = 0
  let stopped = false
  const counts = { lastSuccessMs: 0, fetched: 0, failed: 0 }

  function adopt(fresh: KeySet): void {
    const retired: SigningKey[] = []
    const kept = new Map<string, SigningKey>()
    for (const [kid, key] of fresh) {
      const old = keys.get(kid)
      kept.set(kid, old !== undefined && old.material === key.material ? old : key)
    }
    for (const [kid, key] of keys) if (kept.get(kid) !== key) retired.push(key)
    keys = kept
    retire(retired)
  }

  function retire(retired: readonly SigningKey[]): void {
    for (const key of retired) key.retired = true
    if (retired.length > 0) ports.onRetired(retired)
  }

  function limitAge(): void {
    expiry?.cancel()
    expiry = clock.after(settings.maxStaleMs, () => adopt(NO_KEYS))
  }

  async function load(document: unknown): Promise<string | undefined> {
    const parsed = await parseKeySet(document)
    if (typeof parsed === 'string') return parsed
    if (stopped) return undefined
    adopt(parsed)
    limitAge()
    return undefined
  }

  async function attempt(): Promise<void> {
    const result = await ports.fetchJwks(settings.jwksUri)
    const problem = result.ok ? await load(result.value) : result.message
    if (stopped) return
    if (problem === undefined) {
      counts.fetched++
      counts.lastSuccessMs = clock.now()
      if (failures > 0 || counts.fetched === 1) ports.onChange(undefined)
      failures = 0
      backoff.reset()
    } else {
      counts.failed++
      if (failures++ === 0) ports.onChange(problem)
    }
    schedule()
  }

  function schedule(): void {
    const spread = 0.9 + 0.2 * ports.random()
    const delay = failures === 0 ? settings.refreshMs * spread : backoff.nextMs()
    next?.cancel()
    nextAtMs = clock.monotonic() + delay
    next = clock.after(delay, refresh)
  }

  function refresh(): Promise<void> {
    underWay ??= attempt().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  return {
    async start(seed) {
      const problem = seed === undefined ? undefined : await load(seed)
      if (problem !== undefined) ports.onChange(`the seed file holds ${problem}`)
      await refresh()
    },
    stop() {
      stopped = true
      next?.cancel()
      expiry?.cancel()
    },
    find: (kid) => keys.get(kid),
    usable: () => keys.size > 0,
    failing: () => failures > 0,
    refreshNow() {
      if (underWay !== undefined) return underWay
      if (clock.monotonic() - forcedAtMs < FORCED_INTERVAL_MS) return undefined
      forcedAtMs = clock.monotonic()
      return refresh()
    },
    retryAfterSeconds() {
      const waitMs = Math.min(nextAtMs, forcedAtMs + FORCED_INTERVAL_MS) - clock.monotonic()
      return Math.max(1, Math.ceil(waitMs / 1000))
    },
    stats: () => ({ keys: keys.size, ...counts }),
  }
}
