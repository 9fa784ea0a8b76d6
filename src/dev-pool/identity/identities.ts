// The identities of the identity pool: one for each user of each issuer, and any number of guests. Nobody gets another's.
import { randomUUID } from 'node:crypto'

export interface Identities {
  /** The same for the same user as long as the dev pool runs. */
  of(issuer: string, subject: string): string
  /** Another one each time. */
  createGuest(): string
  /** Undefined: there is no such identity. */
  kindOf(identityId: string): 'user' | 'guest' | undefined
}

/** The oldest go first. */
const MAX_GUESTS = 10_000

/** @param identityPoolId `REGION:UUID` */
export function createIdentities(identityPoolId: string): Identities {
  const [region] = identityPoolId.split(':')
  const byUser = new Map<string, string>()
  const users = new Set<string>()
  const guests = new Set<string>()
  const create = () => `${region}:${randomUUID()}`
  return {
    of(issuer, subject) {
      const key = JSON.stringify([issuer, subject])
      const known = byUser.get(key)
      if (known !== undefined) return known
      const identityId = create()
      byUser.set(key, identityId)
      users.add(identityId)
      return identityId
    },
    createGuest() {
      const identityId = create()
      guests.add(identityId)
      const [oldest] = guests
      if (guests.size > MAX_GUESTS && oldest !== undefined) guests.delete(oldest)
      return identityId
    },
    kindOf(identityId) {
      if (users.has(identityId)) return 'user'
      return guests.has(identityId) ? 'guest' : undefined
    },
  }
}
