// The user that a sign-in at a provider makes or brings up to date, as Cognito maps it. Takes no name that is not the provider's.
import type { Clock } from '../../base/clock.ts'
import { type DevUser, toSubject, type UserDraft } from '../user.ts'
import type { UserStore } from '../user-store.ts'
import type { Provider, ProviderAccount } from './providers.ts'

export interface FederationOptions {
  readonly clock: Clock
  readonly store: UserStore
  readonly userPoolId: string
}

/** Undefined: somebody who is no user of the provider's has the name. */
export function saveFederatedUser(
  { clock, store, userPoolId }: FederationOptions,
  provider: Provider,
  account: ProviderAccount,
): DevUser | undefined {
  const userId = provider.toUserId(account.email)
  const username = `${provider.name}_${userId}`
  const former = store.directory().users.get(username)
  if (former !== undefined && former.status !== 'EXTERNAL_PROVIDER') return undefined
  const group = `${userPoolId}_${provider.name}`
  const identity = {
    userId,
    providerName: provider.name,
    providerType: provider.type,
    issuer: provider.issuer,
    primary: 'true',
    dateCreated: String(clock.now()),
  } as const
  const { groups, ...kept }: UserDraft = former ?? {
    username,
    sub: toSubject(username),
    enabled: true,
    status: 'EXTERNAL_PROVIDER',
    password: undefined,
    groups: [],
    scopes: [],
    attributes: {},
    identities: [identity],
  }
  return store.save({
    ...kept,
    groups: groups.includes(group) ? groups : [...groups, group],
    attributes: { ...former?.attributes, ...toAttributes(provider, account, userId) },
  })
}

function toAttributes(
  { name: provider, verifiesEmail }: Provider,
  { email, name, groups }: ProviderAccount,
  userId: string,
): DevUser['attributes'] {
  const [given = '', ...rest] = name.split(' ')
  const family = rest.join(' ')
  const hasPicture = provider === 'Google' || provider === 'Facebook'
  return {
    email,
    email_verified: verifiesEmail,
    name,
    given_name: given,
    ...(family !== '' && { family_name: family }),
    ...(hasPicture && { picture: `https://pictures.${provider.toLowerCase()}.example/${userId}` }),
    // Several values of a SAML attribute become one text.
    ...(groups !== undefined && { 'custom:groups': `[${groups.join(', ')}]` }),
  }
}
