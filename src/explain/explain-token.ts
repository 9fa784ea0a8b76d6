// Every check that the verifier makes of a token, with what was seen; it goes on after one that fails. It decides nothing.
import type { Clock } from '../base/clock.ts'
import {
  type Claims,
  checkClient,
  checkIssuer,
  checkTimes,
  checkTypes,
  clientOf,
  parseTokenUse,
} from '../token/claims.ts'
import { type Jws, parseJws } from '../token/jws.ts'
import { toQuoted, toRejected } from '../token/rejected.ts'
import { parseJsonObject } from '../token/strict-json.ts'
import type { UserPoolSettings } from '../token/user-pool.ts'
import {
  BAD_PAYLOAD,
  checkSignature,
  checkWanted,
  isRejected,
  unknownKey,
  type Verified,
  type VerifierPool,
  type Wanted,
} from '../token/verifier.ts'
import { toRelative } from './relative-time.ts'
import { type Check, toCheck, toInfo, toOk } from './step.ts'

export interface TokenExplanation {
  readonly checks: readonly Check[]
  /** Its payload, whoever signed it; undefined where it cannot be read. */
  readonly claims: Claims | undefined
  /** The same as a token that was verified has it; undefined where it says not even its use. */
  readonly unverified: Verified | undefined
  /** The pool that its keys were looked for in. */
  readonly pool: VerifierPool | undefined
}

export interface TokenPorts {
  readonly clock: Clock
  readonly pools: readonly VerifierPool[]
}

/** @param wanted what the route accepts */
export function explainToken(
  token: string,
  wanted: Wanted,
  { clock, pools }: TokenPorts,
): TokenExplanation {
  const jws = parseJws(token)
  if (isRejected(jws)) return toExplanation([toCheck('form', jws)])
  const claims = parseJsonObject(jws.payload)
  const pool = findPool(claims?.iss, pools)
  const form = toOk('form', `three parts, RS256, key ${toQuoted(jws.kid)}`)
  if (pool === undefined) {
    const detail = `iss is ${toQuoted(claims?.iss)}, an issuer of no configured user pool`
    const issuer = toCheck('issuer', toRejected('token_issuer', detail))
    return toExplanation([form, issuer], claims)
  }
  const { settings } = pool
  const checks = claims
    ? orderChecks(jws, pool, claims, wanted, clock.now())
    : badPayload(jws, pool)
  const unverified = claims && toUnverified(claims, settings, clock.now())
  return toExplanation([form, ...checks], claims, pool, unverified)
}

function toExplanation(
  checks: readonly Check[],
  claims?: Claims,
  pool?: VerifierPool,
  unverified?: Verified,
): TokenExplanation {
  return { checks, claims, pool, unverified }
}

/** The pool of its issuer, or the only one there is. */
function findPool(issuer: unknown, pools: readonly VerifierPool[]): VerifierPool | undefined {
  if (pools.length === 1) return pools[0]
  return pools.find(({ settings }) => settings.issuers.some((each) => each === issuer))
}

/** In the verifier's order: what it finds first is what it answers. */
function orderChecks(
  jws: Jws,
  pool: VerifierPool,
  claims: Claims,
  wanted: Wanted,
  nowMs: number,
): Check[] {
  const { settings } = pool
  const issuer = toCheck('issuer', checkIssuer(claims, settings), toQuoted(claims.iss))
  const types = toCheck('types', checkTypes(claims), 'claims have the types that are specified')
  const whose = checkUse(claims, settings, wanted)
  const times = checkValidity(claims, settings, nowMs)
  const subject = toInfo('subject', toQuoted(claims.sub))
  const key = checkKey(jws, pool)
  return isLastHope(jws, pool)
    ? [issuer, times, ...key, types, ...whose, subject]
    : [...key, issuer, types, ...whose, times, subject]
}

function badPayload(jws: Jws, pool: VerifierPool): Check[] {
  const payload = toCheck('claims', BAD_PAYLOAD)
  const key = checkKey(jws, pool)
  return isLastHope(jws, pool) ? [payload, ...key] : [...key, payload]
}

/** A key that is not known is fetched only for a token that it could save. */
function isLastHope({ kid }: Jws, { keys }: VerifierPool): boolean {
  return keys.find(kid) === undefined && keys.usable()
}

function checkKey(jws: Jws, pool: VerifierPool): Check[] {
  const { settings, keys } = pool
  const key = keys.find(jws.kid)
  if (key === undefined) return [toCheck('key', unknownKey(pool, jws.kid))]
  return [
    toOk('key', `of user pool ${settings.name}`),
    toCheck('signature', checkSignature(key, jws), 'by that key'),
  ]
}

/** For whom and for what the token is, and whether the route wants that. */
function checkUse(claims: Claims, settings: UserPoolSettings, wanted: Wanted): Check[] {
  const tokenUse = parseTokenUse(claims)
  if (isRejected(tokenUse)) return [toCheck('token_use', tokenUse)]
  const { name } = settings
  const { userPool } = wanted
  const ofPool = checkWanted(name, tokenUse, { userPool, tokenUse: 'any' })
  const ofUse = checkWanted(name, tokenUse, { ...wanted, userPool: undefined })
  const client = toQuoted(clientOf(claims, tokenUse))
  return [
    toCheck('user pool', ofPool, name),
    toCheck('token_use', ofUse, tokenUse),
    toCheck('client', checkClient(claims, tokenUse, settings), client),
  ]
}

function checkValidity(claims: Claims, settings: UserPoolSettings, nowMs: number): Check {
  const times = checkTimes(claims, settings, nowMs)
  const seen = timesOf(claims, nowMs)
  if (!isRejected(times)) return toOk('times', seen)
  const detail = seen === '' ? times.detail : `${times.detail}: ${seen}`
  return toCheck('times', { ...times, detail })
}

function toUnverified(
  claims: Claims,
  settings: UserPoolSettings,
  nowMs: number,
): Verified | undefined {
  const tokenUse = parseTokenUse(claims)
  if (isRejected(tokenUse)) return undefined
  const times = checkTimes(claims, settings, nowMs)
  const validity = isRejected(times) ? { validFromMs: 0, validUntilMs: 0 } : times
  return { userPool: settings.name, tokenUse, claims, ...validity }
}

function timesOf(claims: Claims, nowMs: number): string {
  return ['exp', 'nbf', 'iat']
    .flatMap((name) => {
      const seconds = claims[name]
      return typeof seconds === 'number' ? `${name} ${toRelative(seconds * 1000 - nowMs)}` : []
    })
    .join(', ')
}
