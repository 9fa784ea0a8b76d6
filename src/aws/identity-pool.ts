// One identity pool: a user's token in, that user's temporary credentials out. Nobody gets another's, and no user a guest's. Credentials
// are kept until five minutes before they expire, never longer than the token that they were given for.
import { LRUCache } from 'lru-cache'
import { createHealthReport } from '../base/health-report.ts'
import type { Clock } from '../base/clock.ts'
import {
  type AwsCredentials,
  type CredentialsResult,
  isNoCredentials,
  type NoCredentials,
} from './aws-credentials.ts'
import { createExchangeLane, type ExchangeLane } from './exchange-lane.ts'
import {
  type CallFailure,
  createIdentityCalls,
  type IdentityCalls,
  type IdentityCallsSettings,
  isFailure,
  type Logins,
} from './identity-calls.ts'
import type { Login } from './login.ts'

export interface IdentityPoolSettings extends IdentityCallsSettings {
  readonly flow: 'enhanced' | 'basic'
  /** `default`: the pool's own choice. `preferred`: the token's `cognito:preferred_role`. An ARN: that one, of the token's `cognito:roles`. */
  readonly role: string
  /** Whom the basic flow assumes where the role is `default`. */
  readonly roleArn?: string | undefined
  /** Whether callers without a token get credentials of the pool's guests. */
  readonly guests: boolean
  /** Exchanges a second at most. */
  readonly rate: number
}

export interface IdentityPoolStats {
  readonly exchanges: Readonly<Record<'given' | 'denied' | 'unavailable', number>>
  /** Credentials that are kept. */
  readonly size: number
}

export interface IdentityPool {
  /** At once for a user whose credentials are kept. Never rejects. @param login undefined for a guest */
  find(login: Login | undefined): CredentialsResult | Promise<CredentialsResult>
  stats(): IdentityPoolStats
}

export interface IdentityPoolPorts {
  readonly clock: Clock
  readonly random: () => number
  /** It began to fail, or ceased to. */
  readonly changed: (problem: string | undefined) => void
}

interface Kept {
  readonly result: CredentialsResult
  readonly untilMs: number
}

const CALL = { deadlineMs: 5_000, maxBytes: 64 * 1024 }
const MAX_KEPT = 10_000
const MAX_IDENTITIES = 100_000
/** So that whoever is refused does not use up the calls of the others. */
const REFUSED_MS = 10_000
/** Credentials go this long before they expire. */
const MARGIN_MS = 5 * 60_000
/** Beside `rate`, for callers whose tokens nobody has verified: guests, and those of other providers. */
const UNVERIFIED_SHARE = 0.2
/** No user's keys are like these. */
const GUEST = { user: 'guest', tokenKey: 'guest', subject: 'guest' }

export function createIdentityPool(
  settings: IdentityPoolSettings,
  ports: IdentityPoolPorts,
  calls: IdentityCalls = createIdentityCalls(settings, { clock: ports.clock, ...CALL }),
): IdentityPool {
  const { clock } = ports
  const report = createHealthReport(ports.changed)
  const toGroup = (share: number) => ({
    lane: createExchangeLane(settings.rate * share, clock, ports.random),
    kept: new LRUCache<string, Kept>({ max: MAX_KEPT }),
    refused: new LRUCache<string, Kept>({ max: MAX_KEPT }),
  })
  const verified = toGroup(1)
  const unverified = toGroup(UNVERIFIED_SHARE)
  const identityIds = new LRUCache<string, string>({ max: MAX_IDENTITIES })
  const underWay = new Map<string, Promise<CredentialsResult>>()
  const exchanges = { given: 0, denied: 0, unavailable: 0 }

  const groupOf = (login: Login | undefined) => (login?.isVerified === true ? verified : unverified)

  function find(login: Login | undefined): CredentialsResult | Promise<CredentialsResult> {
    if (login === undefined && !settings.guests) return NO_GUESTS
    const { kept, refused } = groupOf(login)
    const { user, tokenKey } = login ?? GUEST
    const now = clock.now()
    const known = kept.get(user)
    if (known !== undefined && now < known.untilMs) return known.result
    const refusal = refused.get(tokenKey)
    if (refusal !== undefined && now < refusal.untilMs) return refusal.result
    return underWay.get(tokenKey) ?? begin(login)
  }

  function begin(login: Login | undefined): Promise<CredentialsResult> {
    const { tokenKey } = login ?? GUEST
    const result = exchange(login)
      .then((given) => keep(login, given))
      .finally(() => underWay.delete(tokenKey))
    underWay.set(tokenKey, result)
    return result
  }

  /** Credentials are a user's; a refusal is of one token, so that nobody's old one is held against the next. */
  function keep(login: Login | undefined, result: CredentialsResult): CredentialsResult {
    const { kept, refused } = groupOf(login)
    const { user, tokenKey } = login ?? GUEST
    exchanges[isNoCredentials(result) ? result.kind : 'given']++
    if (isNoCredentials(result)) {
      const untilMs = clock.now() + REFUSED_MS
      if (result.isPassing !== true) refused.set(tokenKey, { result, untilMs })
    } else {
      const tokenMs = login?.validUntilMs ?? Number.POSITIVE_INFINITY
      const untilMs = Math.min(result.expiresAtMs - MARGIN_MS, tokenMs)
      if (untilMs > clock.now()) kept.set(user, { result, untilMs })
    }
    return result
  }

  async function exchange(login: Login | undefined): Promise<CredentialsResult> {
    const role = chooseRole(settings, login)
    if (isRefused(role)) return role
    const { lane } = groupOf(login)
    if (!(await lane.enter())) return busy(lane)
    const logins = login === undefined ? {} : { [login.provider]: login.token }
    const given = await askTwice((login ?? GUEST).user, logins, role, login)
    return settle(given, lane)
  }

  /** An identity may have been deleted since it was learnt. */
  async function askTwice(
    key: string,
    logins: Logins,
    role: string | undefined,
    login: Login | undefined,
  ): Promise<AwsCredentials | CallFailure> {
    const isKnown = identityIds.has(key)
    const first = await askFor(key, logins, role, login)
    if (!isKnown || !isFailure(first) || first.failed !== 'gone') return first
    identityIds.delete(key)
    return askFor(key, logins, role, login)
  }

  async function askFor(
    key: string,
    logins: Logins,
    role: string | undefined,
    login: Login | undefined,
  ): Promise<AwsCredentials | CallFailure> {
    const identityId = identityIds.get(key) ?? (await calls.getId(logins))
    if (isFailure(identityId)) return identityId
    identityIds.set(key, identityId)
    if (settings.flow === 'enhanced') return calls.getCredentials(identityId, logins, role)
    const token = await calls.getOpenIdToken(identityId, logins)
    if (isFailure(token)) return token
    return calls.assumeRole(role as string, toSessionName(login), token)
  }

  function settle(given: AwsCredentials | CallFailure, lane: ExchangeLane): CredentialsResult {
    if (!isFailure(given)) {
      lane.worked()
      report.worked()
      return given.expiresAtMs > clock.now()
        ? given
        : unavailable('the credentials have expired already: is the clock right?', 5)
    }
    const { failed, detail } = given
    if (failed === 'denied') return { kind: 'denied', detail }
    // What is wrong with one user's role says nothing of the others, and is told in that user's access lines.
    if (failed === 'misconfigured' || failed === 'gone')
      return unavailable(detail, REFUSED_MS / 1_000)
    report.failed(detail)
    lane.failed()
    return busy(lane, detail)
  }

  return {
    find,
    stats: () => ({ exchanges: { ...exchanges }, size: verified.kept.size + unverified.kept.size }),
  }
}

/** Nobody is asked; it may be otherwise at any time. */
function busy(
  lane: ExchangeLane,
  detail = 'the identity pool is asked no more for the moment',
): NoCredentials {
  return { ...unavailable(detail, lane.retryAfterSeconds()), isPassing: true }
}

const NO_GUESTS: NoCredentials = { kind: 'denied', detail: 'a caller without a token' }

function unavailable(detail: string, retryAfterSeconds: number): NoCredentials {
  return { kind: 'unavailable', detail, retryAfterSeconds }
}

function isRefused(role: string | undefined | NoCredentials): role is NoCredentials {
  return typeof role === 'object'
}

/** By configuration and the verified token alone; undefined leaves it to the identity pool. */
export function chooseRole(
  { flow, role, roleArn }: Pick<IdentityPoolSettings, 'flow' | 'role' | 'roleArn'>,
  login: Login | undefined,
): string | undefined | NoCredentials {
  if (role === 'default' || login === undefined) return flow === 'basic' ? roleArn : undefined
  if (role === 'preferred') {
    return (
      login.preferredRole ?? { kind: 'denied', detail: 'the token has no cognito:preferred_role' }
    )
  }
  if (login.roles.includes(role)) return role
  return { kind: 'denied', detail: "the role is none of the token's cognito:roles" }
}

/** Who it was stands in CloudTrail. */
function toSessionName(login: Login | undefined): string {
  const name = (login ?? GUEST).subject.replace(/[^\w+=,.@-]/g, '-').slice(0, 64)
  return name.length < 2 ? 'poolgate' : name
}
