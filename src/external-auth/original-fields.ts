// Reads the header fields in which an ingress names the request that it asks about. Whatever could be read in two ways is refused: a
// client may have sent any of them too.
import { compileOwnedHeaders, normaliseFieldName, type RawHeaders } from '../http/headers.ts'
import { rememberByName } from '../http/name-memo.ts'
import { type Refusal, toMalformed } from '../http/refusal.ts'

/** Fields by which some protocol names a request's method or target, by normalised name. */
const NAMING: readonly string[] = [
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-forwarded-uri',
  'x-forwarded-method',
]

const NO_MATTER = -1
const CONFUSING = -2

/** The values of the fields that a protocol has, in its own order; each of them stands once, and none of another protocol's does. */
export type ReadOriginalFields = (headers: RawHeaders) => readonly string[] | Refusal

/**
 * @param own names of the protocol's fields, normalised
 * @param rest what becomes of fields that could make another request of it behind the decision (X-HTTP-Method-Override): the one that asks
 * is told to remove them, or they stay, and are refused
 */
export function compileOriginalFields(
  own: readonly string[],
  rest: 'removed' | 'stays',
): ReadOriginalFields {
  const ownerOf = compileOwnedHeaders([])
  const placeOf = rememberByName((name) => {
    const normalised = normaliseFieldName(name)
    const place = own.indexOf(normalised)
    // `X_Forwarded_Uri` is not X-Forwarded-Uri, but some ingress reads it so.
    if (place !== -1) return name.toLowerCase() === normalised ? place : CONFUSING
    const overrides = rest === 'stays' && ownerOf(normalised) === 'never'
    return overrides || NAMING.includes(normalised) ? CONFUSING : NO_MATTER
  })
  return (headers) => {
    const values = new Array<string | undefined>(own.length).fill(undefined)
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      const place = placeOf(name)
      if (place === NO_MATTER) continue
      if (place === CONFUSING) return toMalformed(`${name}, which this endpoint does not go by`)
      if (values[place] !== undefined) return toMalformed(`${own[place]} twice`)
      values[place] = headers[i + 1] as string
    }
    const missing = values.indexOf(undefined)
    return missing === -1 ? (values as string[]) : toMalformed(`no ${own[missing]}`)
  }
}
