// The attributes that a user may have: Cognito's standard ones and custom ones. What it does not know is no attribute.
import { type ApiError, isApiError, toApiError } from './api-error.ts'
import type { DevUser } from './user.ts'

export type Attributes = DevUser['attributes']

/** In Cognito's order, which the header of a CSV file has too. */
export const STANDARD_ATTRIBUTES: readonly string[] =
  `name given_name family_name middle_name nickname preferred_username profile picture website email email_verified gender
  birthdate zoneinfo locale phone_number phone_number_verified address`.split(/\s+/)
const FLAGS = new Set(['email_verified', 'phone_number_verified'])
/** In the order that codes are sent by. */
const CONTACTS = ['email', 'phone_number'] as const
const MAX_LENGTH = 2048

export type Contact = (typeof CONTACTS)[number]

export function isTextAttribute(name: string): boolean {
  return (STANDARD_ATTRIBUTES.includes(name) && !FLAGS.has(name)) || /^custom:\S{1,20}$/.test(name)
}

export function isFlagAttribute(name: string): boolean {
  return FLAGS.has(name)
}

/** Texts by names, as the API and forms have them, or why they do not fit. */
export function parseAttributes(given: Iterable<readonly [string, string]>): Attributes | ApiError {
  const attributes = new Map<string, string | boolean>()
  for (const [name, value] of given) {
    const parsed = parseAttribute(name, value)
    if (typeof parsed === 'object') return parsed
    attributes.set(name, parsed)
  }
  return Object.fromEntries(attributes)
}

function parseAttribute(name: string, value: string): string | boolean | ApiError {
  if (isFlagAttribute(name)) {
    if (value === 'true' || value === 'false') return value === 'true'
    return unfit(`${name}: expected true or false`)
  }
  if (!isTextAttribute(name)) return unfit(`${name}: Attribute does not exist in the schema.`)
  if (value.length > MAX_LENGTH) return unfit(`${name}: String must be no longer than 2048`)
  if (name === 'email' && !isEmail(value)) {
    return toApiError('InvalidParameterException', 'Invalid email address format.')
  }
  if (name === 'phone_number' && !/^\+\d{1,15}$/.test(value)) {
    return toApiError('InvalidParameterException', 'Invalid phone number format.')
  }
  return value
}

function isEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text)
}

function unfit(why: string): ApiError {
  return toApiError('InvalidParameterException', `Attributes did not conform to the schema: ${why}`)
}

/** What a person may not say of herself: that her address is verified. */
export function ownAttributes(attributes: Attributes | ApiError): Attributes | ApiError {
  if (isApiError(attributes) || !Object.keys(attributes).some(isFlagAttribute)) return attributes
  return toApiError('NotAuthorizedException', 'A client attempted to write unauthorized attribute')
}

/** A changed address is unverified until it is shown to be right, unless the same change says so. */
export function changeAttributes(former: Attributes, changes: Attributes): Attributes {
  const isReset = (name: Contact) =>
    name in changes && changes[name] !== former[name] && !(`${name}_verified` in changes)
  const unverified = CONTACTS.filter(isReset).map((name) => [`${name}_verified`, false])
  return { ...former, ...changes, ...Object.fromEntries(unverified) }
}

/** Where a code goes: the first address there is, or the first that is verified. */
export function contactOf(attributes: Attributes, which: 'any' | 'verified'): Contact | undefined {
  return CONTACTS.find(
    (name) => attributes[name] && (which === 'any' || attributes[`${name}_verified`] === true),
  )
}

/** The verified addresses, as names to sign in by. */
export function aliasesOf(attributes: Attributes): readonly string[] {
  return CONTACTS.filter((name) => attributes[`${name}_verified`] === true).flatMap((name) => {
    const value = attributes[name]
    return typeof value === 'string' ? [toAlias(value)] : []
  })
}

/** Upper and lower case are the same in an address. */
export function toAlias(text: string): string {
  return text.toLowerCase()
}
