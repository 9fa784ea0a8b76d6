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
  checkSignature,
  checkWanted,
  isRejected,
  type Verified,
  type VerifierPool,
  type Wanted,
} from '../token/verifier.ts'
import { type Check, type Step, toCheck, toInfo, toOk } from './step.ts'

export interface TokenExplanation {
  readonly step: Step
  /** Its payload, whoever signed it; undefined where it cannot be read. */
  readonly claims: Claims | undefined
  /** The same as a token that was verified has it; undefined where it says not even its use. */
  readonly unverified: Verified | undefined
  /** The pool that its keys were looked for in. */
  readonly pool: VerifierPool | undefined
}

/** @param wanted what the route accepts */
export function explainToken(
  token: string,
  pools: readonly VerifierPool[],
  wanted: Wanted,
  clock: Pick<Clock, 'now'>,
): TokenExplanation {
  const jws = parseJws(token)
  if (isRejected(jws)) return toExplanation([toCheck('form', jws)])
  const claims = parseJsonObject(jws.payload)
  const pool = findPool(claims?.iss, pools)
  const checks: Check[] = [toOk('form', `three parts, RS256, key ${jws.kid}`)]
  if (pool === undefined) {
    const detail = `iss is ${toQuoted(claims?.iss)}, an issuer of no configured user pool`
    checks.push(toCheck('issuer', toRejected('token_issuer', detail)))
    return toExplanation(checks, claims)
  }
  checks.push(...checkKey(jws, pool))
  if (!claims) {
    const detail = 'payload is not one strict JSON object'
    checks.push(toCheck('claims', toRejected('token_malformed', detail)))
    return toExplanation(checks, claims, pool)
  }
  checks.push(...checkClaims(claims, pool.settings, wanted, clock.now()))
  return toExplanation(checks, claims, pool, toUnverified(claims, pool.settings, clock.now()))
}

function toExplanation(
  checks: readonly Check[],
  claims?: Claims,
  pool?: VerifierPool,
  unverified?: Verified,
): TokenExplanation {
  return { step: { title: 'token', checks }, claims, pool, unverified }
}

/** The pool of its issuer, or the only one there is. */
function findPool(issuer: unknown, pools: readonly VerifierPool[]): VerifierPool | undefined {
  const named = pools.find(({ settings }) => settings.issuers.some((each) => each === issuer))
  return named ?? (pools.length === 1 ? pools[0] : undefined)
}

function checkKey(jws: Jws, { settings, keys }: VerifierPool): Check[] {
  const key = keys.find(jws.kid)
  if (key !== undefined) {
    return [
      toOk('key', `of user pool ${settings.name}`),
      toCheck('signature', checkSignature(key, jws), 'by that key'),
    ]
  }
  const missing =
    keys.usable() && !keys.failing()
      ? toRejected(
          'token_key_unknown',
          `user pool ${settings.name} has no key ${toQuoted(jws.kid)}`,
        )
      : toRejected('keys_unavailable', `the keys of user pool ${settings.name} cannot be fetched`)
  return [toCheck('key', missing)]
}

function checkClaims(
  claims: Claims,
  settings: UserPoolSettings,
  wanted: Wanted,
  nowMs: number,
): Check[] {
  const checks = [
    toCheck('issuer', checkIssuer(claims, settings), toQuoted(claims.iss)),
    toCheck('types', checkTypes(claims), 'claims have the types that are specified'),
  ]
  const tokenUse = parseTokenUse(claims)
  if (isRejected(tokenUse)) return [...checks, toCheck('token_use', tokenUse)]
  const client = toQuoted(clientOf(claims, tokenUse))
  const times = checkTimes(claims, settings, nowMs)
  const seen = timesOf(claims, nowMs)
  return [
    ...checks,
    toCheck('token_use', checkWanted(settings.name, tokenUse, wanted), tokenUse),
    toCheck('client', checkClient(claims, tokenUse, settings), client),
    isRejected(times)
      ? toCheck('times', { ...times, detail: `${times.detail}: ${seen}` })
      : toOk('times', seen),
    toInfo('subject', toQuoted(claims.sub)),
  ]
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

/** `in 5m 3s`, or `2h 1m 0s ago`. @param ms from now */
export function toRelative(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const span = [h && `${h}h`, m && `${m}m`, `${s}s`].filter(Boolean).join(' ')
  return ms >= 0 ? `in ${span}` : `${span} ago`
}
