// How the API shows users, groups' times and places a code went to. Times are seconds since the epoch, addresses half hidden.
import type { Sent } from '../accounts.ts'
import type { Attributes } from '../attributes.ts'
import type { DevUser } from '../user.ts'

/** @param attributeNames what to show; undefined: everything */
export function toUserType(user: DevUser, attributeNames?: readonly string[]): object {
  const attributes = toAttributeList(user)
  return {
    Username: user.username,
    Attributes:
      attributeNames === undefined
        ? attributes
        : attributes.filter(({ Name }) => attributeNames.includes(Name)),
    ...toUserFacts(user),
  }
}

export function toUserFacts({ createdMs, modifiedMs, enabled, status }: DevUser): object {
  return {
    UserCreateDate: toSeconds(createdMs),
    UserLastModifiedDate: toSeconds(modifiedMs),
    Enabled: enabled,
    UserStatus: status,
  }
}

export function toAttributeList(user: DevUser): readonly { Name: string; Value: string }[] {
  const { sub, attributes, identities } = user
  const all: Attributes = {
    sub,
    ...(identities !== undefined && { identities: JSON.stringify(identities) }),
    ...attributes,
  }
  return Object.entries(all).map(([name, value]) => ({ Name: name, Value: String(value) }))
}

/** Which further factors a sign-in asks for. */
export function toMfaFacts({ totpEnabled }: DevUser): object {
  if (!totpEnabled) return {}
  return { PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA', UserMFASettingList: ['SOFTWARE_TOKEN_MFA'] }
}

/** Where a code went. Nobody's name gets an answer of the same shape. @param name as the caller gave it */
export function toDelivery({ delivery }: Sent, name: string): object {
  const { contact, address } = delivery ?? { contact: 'email', address: name }
  return {
    AttributeName: contact,
    DeliveryMedium: contact === 'email' ? 'EMAIL' : 'SMS',
    Destination: contact === 'email' ? maskEmail(address) : maskNumber(address),
  }
}

function maskEmail(address: string): string {
  const [local = '', domain = 'e'] = address.split('@')
  return `${local.slice(0, 1)}***@${domain.slice(0, 1)}***`
}

function maskNumber(address: string): string {
  return `+${'*'.repeat(Math.max(0, address.length - 5))}${address.slice(-4)}`
}

export function toSeconds(ms: number): number {
  return ms / 1000
}
