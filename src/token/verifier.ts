// Verifies tokens: cache, then JWS, key, signature, claims, in that order. Whatever is not proven right is refused.
import { verify as verifySignature } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { copyText } from '../base/text.ts'
import type { TurnBudget } from '../base/turn-budget.ts'
import {
  type Claims,
  checkClient,
  checkIssuer,
  checkTimes,
  checkTypes,
  parseTokenUse,
  type TokenUse,
  type Validity,
} from './claims.ts'
import { type Jws, type KnownHeader, parseJws } from './jws.ts'
import type { KeyRefresh } from './key-refresh.ts'
import type { SigningKey } from './key-set.ts'
import { type Rejected, toQuoted, toRejected } from './rejected.ts'
import { parseJsonObject } from './strict-json.ts'
import { createTokenCache } from './token-cache.ts'
import type { UserPoolSettings } from './user-pool.ts'

/** A proven token: what its claims say, and for how long. */
export interface Verified extends Validity {
  readonly userPool: string
  readonly tokenUse: TokenUse
  readonly claims: Claims
}

/** What the asking route accepts; a token that is good elsewhere is still refused here. */
export interface Wanted {
  /** Name of the one user pool; undefined for any configured pool. */
  readonly userPool: string | undefined
  readonly tokenUse: TokenUse | 'any'
}

export interface VerifierPool {
  readonly settings: UserPoolSettings
  readonly keys: Pick<
    KeyRefresh,
    'find' | 'usable' | 'failing' | 'refreshNow' | 'retryAfterSeconds'
  >
}

export interface VerifierOptions<P> {
  readonly clock: Clock
  readonly pools: readonly VerifierPool[]
  readonly cache: { readonly entries: number; readonly bytes: number; readonly ttlMs: number }
  /** Of signatures to be checked; left out, as many as come are checked at once. */
  readonly budget?: TurnBudget | undefined
  /** Made once for each verified token and kept beside it. */
  readonly toPrincipal: (verified: Verified) => P
}

export interface VerifierStats {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly evictions: number
}

export interface Verifier<P> {
  /** At once, unless a key has to be fetched first or too many other signatures are checked in this turn. */
  verify(token: string, wanted: Wanted): P | Rejected | Promise<P | Rejected>
  /** Forgets every token that one of these keys verified. */
  forget(keys: readonly SigningKey[]): void
  stats(): VerifierStats
}

/** Flat: each object in it is one more that the collector moves for every new token. */
interface Accepted<P> {
  readonly userPool: string
  readonly tokenUse: TokenUse
  readonly principal: P
  readonly key: SigningKey
  readonly validFromMs: number
  readonly freshUntilMs: number
}

interface Refused {
  readonly rejected: Rejected
  readonly key: SigningKey
  /** The window of the wall clock in which it is remembered; a clock that steps out of it asks anew. */
  readonly sinceMs: number
  readonly untilMs: number
}

/** Refusals are kept apart from accepted tokens, few and briefly, so that a flood evicts nothing good. */
const REFUSALS = { entries: 2_000, bytes: 8 * 1024 * 1024 }
const REFUSED_MS = 10_000

/** Far more than the header texts of all pools' keys. */
const MAX_KNOWN_HEADERS = 64

const TOO_MANY = toRejected('overloaded', 'too many tokens wait for their verification')
export const BAD_PAYLOAD = toRejected('token_malformed', 'payload is not one strict JSON object')

export function createVerifier<P extends object>(options: VerifierOptions<P>): Verifier<P> {
  const { clock, pools, budget } = options
  const accepted = createTokenCache<Accepted<P>>(options.cache)
  const refused = createTokenCache<Refused>(REFUSALS)
  const poolByIssuer = new Map(
    pools.flatMap((pool) => pool.settings.issuers.map((issuer) => [issuer, pool] as const)),
  )
  const onlyPool = pools.length === 1 ? pools[0] : undefined
  const counts = { hits: 0, misses: 0 }
  /** Of tokens whose signature was found good alone: nobody else may fill it. */
  const knownHeaders: KnownHeader[] = []

  function verify(token: string, wanted: Wanted): P | Rejected | Promise<P | Rejected> {
    const known = recall(token, wanted)
    if (known !== undefined) {
      counts.hits++
      return known
    }
    counts.misses++
    const refusal = recallRefusal(token)
    if (refusal !== undefined) return refusal
    const jws = parseJws(token, knownHeaders)
    if (isRejected(jws)) return jws
    const pool = onlyPool ?? poolByIssuer.get(unverifiedIssuer(jws))
    if (pool === undefined) return toRejected('token_issuer', 'issuer of no configured user pool')
    const key = pool.keys.find(jws.kid)
    if (key !== undefined) return verifyInTurn(key, pool, jws, token, wanted)
    return verifyAfterRefresh(pool, jws, token, wanted)
  }

  function verifyInTurn(
    key: SigningKey,
    pool: VerifierPool,
    jws: Jws,
    token: string,
    wanted: Wanted,
  ): P | Rejected | Promise<P | Rejected> {
    if (budget === undefined || budget.take()) return verifyWith(key, pool, jws, token, wanted)
    const turn = budget.wait()
    if (turn === undefined) return TOO_MANY
    return turn.then(() => {
      // Another request may have brought the same token meanwhile, and the key may have gone.
      const known = recall(token, wanted) ?? recallRefusal(token)
      if (known !== undefined) return known
      const current = pool.keys.find(jws.kid)
      return current ? verifyWith(current, pool, jws, token, wanted) : unknownKey(pool, jws.kid)
    })
  }

  function recall(token: string, wanted: Wanted): P | Rejected | undefined {
    const known = accepted.get(token)
    if (known === undefined || !isFresh(known, clock.now())) return undefined
    return checkWanted(known.userPool, known.tokenUse, wanted) ?? known.principal
  }

  function recallRefusal(token: string): Rejected | undefined {
    const refusal = refused.get(token)
    return refusal !== undefined && isInForce(refusal, clock.now()) ? refusal.rejected : undefined
  }

  function verifyAfterRefresh(
    pool: VerifierPool,
    jws: Jws,
    token: string,
    wanted: Wanted,
  ): Rejected | Promise<P | Rejected> {
    const hopeless = pool.keys.usable() ? checkUnverified(jws, pool) : undefined
    if (hopeless !== undefined) return hopeless
    const refresh = pool.keys.refreshNow()
    if (refresh === undefined) return unknownKey(pool, jws.kid)
    return refresh.then(() => {
      const key = pool.keys.find(jws.kid)
      return key ? verifyInTurn(key, pool, jws, token, wanted) : unknownKey(pool, jws.kid)
    })
  }

  /** Spares a fetch for a token that no key could save. May only refuse. */
  function checkUnverified(jws: Jws, pool: VerifierPool): Rejected | undefined {
    const unverifiedClaims = parseJsonObject(jws.payload)
    if (!unverifiedClaims) return BAD_PAYLOAD
    const issuer = checkIssuer(unverifiedClaims, pool.settings)
    if (issuer) return issuer
    const times = checkTimes(unverifiedClaims, pool.settings, clock.now())
    return isRejected(times) ? times : undefined
  }

  function verifyWith(
    key: SigningKey,
    pool: VerifierPool,
    jws: Jws,
    token: string,
    wanted: Wanted,
  ): P | Rejected {
    const { settings } = pool
    const nowMs = clock.now()
    const refuse = (rejected: Rejected) => {
      // A token that time will cure is not remembered as bad.
      if (rejected.reason !== 'token_not_yet_valid') {
        refused.set(token, { rejected, key, sinceMs: nowMs, untilMs: nowMs + REFUSED_MS })
      }
      return rejected
    }
    const forged = checkSignature(key, jws)
    if (forged) return refuse(forged)
    rememberHeader(jws)
    const claims = parseJsonObject(jws.payload)
    if (!claims) return refuse(BAD_PAYLOAD)
    const tokenUse = checkIssuer(claims, settings) ?? checkTypes(claims) ?? parseTokenUse(claims)
    if (isRejected(tokenUse)) return refuse(tokenUse)
    const unwanted = checkWanted(settings.name, tokenUse, wanted)
    const validity = checkClient(claims, tokenUse, settings) ?? checkTimes(claims, settings, nowMs)
    if (isRejected(validity)) return unwanted ?? refuse(validity)
    const { name: userPool } = settings
    const { validFromMs, validUntilMs } = validity
    const principal = options.toPrincipal({ userPool, tokenUse, claims, ...validity })
    const freshUntilMs = Math.min(validUntilMs, nowMs + options.cache.ttlMs)
    accepted.set(token, { userPool, tokenUse, principal, key, validFromMs, freshUntilMs })
    return unwanted ?? principal
  }

  function rememberHeader({ headerSegment, kid }: Jws): void {
    if (knownHeaders.some(({ segment }) => segment === headerSegment)) return
    if (knownHeaders.length >= MAX_KNOWN_HEADERS) knownHeaders.length = 0
    knownHeaders.push({ segment: copyText(headerSegment), kid })
  }

  function forget(keys: readonly SigningKey[]): void {
    accepted.purge((entry) => keys.includes(entry.key))
    refused.purge((entry) => keys.includes(entry.key))
  }

  return {
    verify,
    forget,
    stats: () => ({ ...counts, entries: accepted.size(), evictions: accepted.evicted() }),
  }
}

/** Never to be asked of claims: a token may hold a claim of any name. */
export function isRejected(value: object | string): value is Rejected {
  return typeof value === 'object' && 'rejected' in value
}

/** Undefined when the signature is the key's (RFC 8017 section 8.2.2, SHA-256). */
export function checkSignature(key: SigningKey, jws: Jws): Rejected | undefined {
  const { signature } = jws
  if (signature.length !== key.signatureBytes) {
    return toRejected('token_signature', `signature of ${signature.length} bytes`)
  }
  if (verifySignature('sha256', Buffer.from(jws.signedText, 'latin1'), key.key, signature)) {
    return undefined
  }
  return toRejected('token_signature', `signature is not by key ${toQuoted(key.kid)}`)
}

function isFresh({ key, validFromMs, freshUntilMs }: Accepted<unknown>, nowMs: number): boolean {
  return !key.retired && nowMs >= validFromMs && nowMs < freshUntilMs
}

function isInForce(refusal: Refused, nowMs: number): boolean {
  return !refusal.key.retired && nowMs >= refusal.sinceMs && nowMs < refusal.untilMs
}

/** Undefined when the asking route accepts tokens of this pool and use. */
export function checkWanted(
  userPool: string,
  tokenUse: TokenUse,
  wanted: Wanted,
): Rejected | undefined {
  if (wanted.userPool !== undefined && wanted.userPool !== userPool) {
    return toRejected('token_issuer', `a token of user pool ${userPool}, not ${wanted.userPool}`)
  }
  if (wanted.tokenUse !== 'any' && wanted.tokenUse !== tokenUse) {
    return toRejected('token_use', `token_use is ${tokenUse}, the route takes ${wanted.tokenUse}`)
  }
  return undefined
}

/** Whether it is the token that has a wrong key, or the pool that has none. */
export function unknownKey(pool: VerifierPool, kid: string): Rejected {
  const { keys, settings } = pool
  if (keys.usable() && !keys.failing()) {
    return toRejected('token_key_unknown', `user pool ${settings.name} has no key ${toQuoted(kid)}`)
  }
  return {
    ...toRejected('keys_unavailable', `the keys of user pool ${settings.name} cannot be fetched`),
    retryAfterSeconds: keys.retryAfterSeconds(),
  }
}

/** Only ever used to choose among configured pools. */
function unverifiedIssuer(jws: Jws): string {
  const issuer = parseJsonObject(jws.payload)?.iss
  return typeof issuer === 'string' ? issuer : ''
}
