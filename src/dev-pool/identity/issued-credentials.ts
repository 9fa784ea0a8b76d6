// Temporary credentials that the identity pool has given, in memory only, with the role that they stand for. AWS knows none of them.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'

/** Whom credentials are for. */
export interface Grantee {
  readonly identityId: string
  readonly roleArn: string
  /** `aws:PrincipalTag/…` of policies. */
  readonly tags: Readonly<Record<string, string>>
}

export interface Issued extends Grantee {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** A whole second, as AWS tells it. */
  readonly expiresAtMs: number
}

export interface IssuedCredentials {
  issue(grantee: Grantee, lifeSeconds?: number): Issued
  /** Those that have expired too. */
  find(accessKeyId: string): Issued | undefined
}

const LIFE_SECONDS = 3600
/** The oldest go first. */
const MAX_ISSUED = 10_000
/** RFC 4648 base32: what access key ids are made of. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function createIssuedCredentials(clock: Clock): IssuedCredentials {
  const byKeyId = new Map<string, Issued>()
  return {
    issue(grantee, lifeSeconds = LIFE_SECONDS) {
      const issued: Issued = {
        ...grantee,
        accessKeyId: `ASIA${createName(16)}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        // With the characters that careless code trips over, as STS's.
        sessionToken: `IQoJb3JpZ2luX2Vj+/${randomBytes(190).toString('base64')}`,
        expiresAtMs: (Math.floor(clock.now() / 1000) + lifeSeconds) * 1000,
      }
      byKeyId.set(issued.accessKeyId, issued)
      const [oldest] = byKeyId.keys()
      if (byKeyId.size > MAX_ISSUED && oldest !== undefined) byKeyId.delete(oldest)
      return issued
    },
    find: (accessKeyId) => byKeyId.get(accessKeyId),
  }
}

function createName(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % 32]).join('')
}
