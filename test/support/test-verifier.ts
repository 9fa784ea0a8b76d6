// A verifier over stand-in user pools whose keys are in memory, and the verdict on a token as one word.
import { type KeySet, parseKeySet } from '../../src/token/key-set.ts'
import type { UserPoolSettings } from '../../src/token/user-pool.ts'
import {
  createVerifier,
  isRejected,
  type Verified,
  type Verifier,
  type VerifierPool,
  type Wanted,
} from '../../src/token/verifier.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createIssuer, type TestIssuer } from './issuer.ts'

export const ANY: Wanted = { userPool: undefined, tokenUse: 'any' }

export interface TestVerifier {
  readonly clock: FakeClock
  readonly verifier: Verifier<Verified>
  /** Looks at the key sets so far. */
  lookUps(): number
  /** Fetches that the verifier asked for. */
  fetches(): number
  /** `accepted`, or the reason of the refusal. */
  judge(token: string, wanted?: Wanted): Promise<string>
}

export interface TestVerifierOptions {
  readonly clock?: FakeClock
  /** Changes of each pool's settings. */
  readonly settings?: Partial<UserPoolSettings>
  readonly cache?: { readonly entries: number; readonly bytes: number; readonly ttlMs: number }
}

const CACHE = { entries: 1000, bytes: 16 * 1024 * 1024, ttlMs: 300_000 }

/** An issuer whose tokens are good by the clock. */
export function createIssuerAt(clock: FakeClock, options: { issuer?: string } = {}): TestIssuer {
  return createIssuer({ nowMs: clock.now(), ...options })
}

export function toSettings(
  issuer: TestIssuer,
  changes: Partial<UserPoolSettings> = {},
): UserPoolSettings {
  return {
    name: 'main',
    issuers: [issuer.issuer],
    clientIds: [issuer.clientId],
    resources: undefined,
    clockToleranceMs: 0,
    ...changes,
  }
}

/** The pools are called `main`, `second`, `third` in the order of their issuers. */
export async function createTestVerifier(
  issuers: readonly TestIssuer[],
  options: TestVerifierOptions = {},
): Promise<TestVerifier> {
  const { clock = createFakeClock(), settings = {}, cache = CACHE } = options
  const counts = { lookUps: 0, fetches: 0 }
  const pools: VerifierPool[] = []
  for (const issuer of issuers) {
    const name = ['main', 'second', 'third'][pools.length] ?? 'more'
    pools.push({
      settings: toSettings(issuer, { name, ...settings }),
      keys: toFixedKeys(await loadKeys(issuer.jwks()), counts),
    })
  }
  const verifier = createVerifier({ clock, pools, cache, toPrincipal: (verified) => verified })
  return {
    clock,
    verifier,
    lookUps: () => counts.lookUps,
    fetches: () => counts.fetches,
    async judge(token, wanted = ANY) {
      const outcome = await verifier.verify(token, wanted)
      return isRejected(outcome) ? outcome.reason : 'accepted'
    },
  }
}

/** The key set of a document that must be good. */
export async function loadKeys(document: unknown): Promise<KeySet> {
  const keys = await parseKeySet(document)
  if (typeof keys === 'string') throw new Error(keys)
  return keys
}

function toFixedKeys(
  keys: KeySet,
  counts: { lookUps: number; fetches: number },
): VerifierPool['keys'] {
  return {
    find(kid) {
      counts.lookUps++
      return keys.get(kid)
    },
    usable: () => true,
    failing: () => false,
    refreshNow() {
      counts.fetches++
      return undefined
    },
    retryAfterSeconds: () => 1,
  }
}
