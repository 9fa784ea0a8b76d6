// The identity providers that the dev pool plays: their names in Cognito, who can be chosen there, and what of it becomes a user.
import { createHash } from 'node:crypto'
import type { FederatedIdentity } from '../user.ts'

export interface Provider {
  /** In Cognito: `identity_provider`, the beginning of user names. */
  readonly name: string
  /** For people. */
  readonly title: string
  readonly type: FederatedIdentity['providerType']
  readonly issuer: string | null
  /** Mail domains that stand for it, as `idp_identifier`. */
  readonly identifiers: readonly string[]
  readonly accounts: readonly ProviderAccount[]
  /** What the provider calls the holder of an address, the same at each start. */
  toUserId(email: string): string
  /** Whether what it says of an address is taken for verified. */
  readonly verifiesEmail: boolean
}

export interface ProviderAccount {
  readonly email: string
  readonly name: string
  /** Of a directory. */
  readonly groups?: readonly string[]
}

/** A number of many digits, made from a text. */
function toDigits(text: string, length: number): string {
  const hex = createHash('sha256').update(`poolgate dev provider ${text}`).digest('hex')
  return `1${BigInt(`0x${hex}`)}`.slice(0, length)
}

export const PROVIDERS: readonly Provider[] = [
  {
    name: 'Google',
    title: 'Google',
    type: 'Google',
    issuer: null,
    identifiers: ['gmail.example'],
    accounts: [
      { email: 'gwen@gmail.example', name: 'Gwen Google' },
      { email: 'gil@gmail.example', name: 'Gil Google' },
    ],
    toUserId: (email) => toDigits(`Google ${email}`, 21),
    verifiesEmail: true,
  },
  {
    name: 'Facebook',
    title: 'Facebook',
    type: 'Facebook',
    issuer: null,
    identifiers: [],
    accounts: [{ email: 'fay@facebook.example', name: 'Fay Facebook' }],
    toUserId: (email) => toDigits(`Facebook ${email}`, 16),
    verifiesEmail: false,
  },
  {
    name: 'LoginWithAmazon',
    title: 'Amazon',
    type: 'LoginWithAmazon',
    issuer: null,
    identifiers: [],
    accounts: [{ email: 'amy@amazon.example', name: 'Amy Amazon' }],
    toUserId: (email) => `amzn1.account.${toDigits(`Amazon ${email}`, 28)}`,
    verifiesEmail: false,
  },
  {
    name: 'CorpAD',
    title: 'CorpAD',
    type: 'SAML',
    issuer: 'https://sts.corp.example/adfs/services/trust',
    identifiers: ['corp.example'],
    accounts: [
      { email: 'chris@corp.example', name: 'Chris Corp', groups: ['Engineering', 'Admins'] },
      { email: 'cleo@corp.example', name: 'Cléo Corp', groups: ['Sales'] },
    ],
    toUserId: (email) => email,
    verifiesEmail: false,
  },
]

/** By name or by an organisation's identifier; the pool itself is COGNITO. */
export function findProvider(name: string): string | undefined {
  if (name === 'COGNITO') return name
  return PROVIDERS.find((one) => one.name === name || one.identifiers.includes(name))?.name
}
