// A decision as Envoy's external authorization has it: what to set and to remove before the request goes on, or the answer in its place.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, DenyReason, Preflight } from '../policy/decision.ts'
import {
  type DenialExtras,
  type DenialResponse,
  toDenialResponse,
} from '../proxy/denial-response.ts'
import type { Ruleset } from '../proxy/ruleset.ts'
import type { OwnPage } from '../session/own-page.ts'
import { APPEND, type CheckResponse, type HeaderValueOption, OVERWRITE } from './check-messages.ts'
import { namesToRemove, toChangedCookieFields } from './verdict-fields.ts'

/** Codes of gRPC: what becomes of the check, not of the request. */
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

export function toAllowed(
  facts: RequestFacts,
  allow: Allow,
  rules: Pick<Ruleset, 'identityHeaders' | 'ownerOf' | 'isOwnCookie'>,
): CheckResponse {
  const lines = allow.principal?.identityHeaders ?? []
  const headers: HeaderValueOption[] = []
  for (let i = 0; i < lines.length; i += 2) {
    headers.push(toOption(lines[i] as string, lines[i + 1] as string))
  }
  const [name, cookie] = toChangedCookieFields(facts, allow, rules)
  if (name !== undefined && cookie) headers.push(toOption(name, cookie))
  const query = allow.route.places?.query
  return {
    status: { code: 0 },
    okResponse: {
      headers,
      headersToRemove: namesToRemove(facts, allow, rules),
      responseHeadersToAdd: toRenewed(allow.cookies),
      queryParametersToRemove: query === undefined ? [] : [query],
    },
  }
}

export function toDenied(
  reason: DenyReason,
  requestId: string,
  extras: DenialExtras = {},
  cookies: readonly string[] = [],
): CheckResponse {
  const { status, headers, body } = toDenialResponse(reason, requestId, extras)
  return {
    status: { code: status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED, message: reason },
    deniedResponse: {
      status: { code: status },
      headers: [
        ...toOptions({ ...headers, 'x-poolgate-reason': reason }),
        ...toCookieOptions(cookies),
      ],
      body,
    },
  }
}

/** A page for a browser in the place of the upstream's answer, or a redirect. */
export function toShown(
  { status, headers, body }: OwnPage,
  reason: DenyReason,
  requestId: string,
  cookies: readonly string[] = [],
): CheckResponse {
  const options: HeaderValueOption[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string]
    options.push(name === 'set-cookie' ? toCookieOption(value) : toOption(name, value))
  }
  const own = toOptions({ 'x-poolgate-reason': reason, 'x-request-id': requestId })
  return {
    status: { code: UNAUTHENTICATED, message: reason },
    deniedResponse: {
      status: { code: status },
      headers: [...options, ...own, ...toCookieOptions(cookies)],
      body,
    },
  }
}

/** What the upstream's answer has to say beside its own: no cache may keep it (CVE-2025-48947). */
function toRenewed(cookies: readonly string[] = []): HeaderValueOption[] {
  if (cookies.length === 0) return []
  return [...toCookieOptions(cookies), toOption('cache-control', 'no-store')]
}

function toCookieOptions(cookies: readonly string[] = []): HeaderValueOption[] {
  return cookies.map(toCookieOption)
}

/** Each of them is a field of its own. */
function toCookieOption(value: string): HeaderValueOption {
  return { header: { key: 'set-cookie', value }, appendAction: APPEND }
}

/** What only looks like a denial: Envoy answers the browser in the place of the upstream. */
export function toPermitted({ fields }: Preflight, requestId: string): CheckResponse {
  return {
    status: { code: PERMISSION_DENIED, message: 'preflight' },
    deniedResponse: {
      status: { code: 204 },
      headers: toOptions({ ...fields, 'x-request-id': requestId }),
      body: '',
    },
  }
}

function toOptions(headers: DenialResponse['headers']): HeaderValueOption[] {
  const own = Object.entries(headers).filter(([name]) => name !== 'content-length')
  return own.map(([name, value]) => toOption(name, String(value)))
}

function toOption(key: string, value: string): HeaderValueOption {
  return { header: { key, value }, appendAction: OVERWRITE }
}
