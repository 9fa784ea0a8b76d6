// Whether a page that a browser shows may have asked for something with the browser's own cookie: only a page of the request's own
// host, or of an origin that the route names (cross-site request forgery, cross-site WebSocket hijacking).
import { singleValue } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { PolicyRefusal } from './policy.ts'

/** They change nothing (RFC 9110 section 9.2.1), and a page of another origin cannot read the answer. */
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

export const ORIGIN_DENIED: PolicyRefusal = {
  reason: 'origin_denied',
  detail: 'a cookie, and no Origin of this host or of one that the route names',
}

const ORIGIN = /^(https?):\/\/([^/?#@]+)$/

/** Whether a cookie alone does not show that the caller wants this; an upgraded connection can be read by the page that opened it. */
export function needsOrigin({ method }: RequestFacts, isUpgrade: boolean): boolean {
  return isUpgrade || !SAFE_METHODS.includes(method)
}

/** @param allowed further origins, as browsers write them */
export function isFromOwnOrigin(facts: RequestFacts, allowed: readonly string[]): boolean {
  const { headers, host, secure } = facts
  // Only the browser itself can say this (Fetch Metadata section 2.1).
  const site = singleValue(headers, 'sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return true
  const origin = singleValue(headers, 'origin')
  if (typeof origin !== 'string') return false
  if (allowed.includes(origin)) return true
  const [, scheme, authority = ''] = ORIGIN.exec(origin) ?? []
  if (scheme === undefined || (secure && scheme !== 'https')) return false
  const standard = scheme === 'https' ? ':443' : ':80'
  const plain = (text: string) => (text.endsWith(standard) ? text.slice(0, -standard.length) : text)
  return plain(authority.toLowerCase()) === plain(host.authority)
}
