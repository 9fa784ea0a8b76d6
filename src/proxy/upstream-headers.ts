// Builds the field lines that an upstream gets: what the client may say goes first, what only Poolgate may say is added last.
import { editHeaders } from '../http/header-edits.ts'
import {
  compileOwnedHeaders,
  connectionNamed,
  isHopByHop,
  isPlainConnection,
  listValue,
  normaliseFieldName,
  type RawHeaders,
} from '../http/headers.ts'
import { rememberByName } from '../http/name-memo.ts'
import { compileOwnCookies, type IsOwnCookie } from '../http/own-cookies.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, Route } from '../policy/decision.ts'
import { takeCookie, takeProtocol, withoutCookies } from '../token/credential-places.ts'
import { toForwardedField } from './forwarded-field.ts'

export type BuildUpstreamHeaders = (
  facts: RequestFacts,
  allow: Allow,
  requestId: string,
) => string[]

/**
 * What becomes of a client's field. `peer`: only a trusted proxy may say it. `token`: unless the route keeps it back. `cookie`: without
 * the token that it may hold, unless the route passes that on. `protocol`: without the token that it may hold.
 */
type Action = 'pass' | 'drop' | 'peer' | 'token' | 'cookie' | 'protocol' | 'connection'

/**
 * @param withForwarded whether upstreams get Forwarded (RFC 7239) too
 * @param via what they get in Via (RFC 9110 section 7.6.3), behind the client's
 */
export function compileUpstreamHeaders(
  identityHeaders: readonly string[],
  withForwarded = false,
  via?: string,
  isOwnCookie: IsOwnCookie = compileOwnCookies([]),
): BuildUpstreamHeaders {
  const owned = compileOwnedHeaders(identityHeaders)
  const actionOf = rememberByName((name) => toAction(name, owned, withForwarded))
  return (facts, allow, requestId) => {
    const { headers } = facts
    const lines: string[] = []
    let named: ReadonlySet<string> | undefined
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      const value = headers[i + 1] as string
      const action = actionOf(name)
      if (action === 'pass') lines.push(name, value)
      else if (action === 'peer' && facts.peerTrusted) lines.push(name, value)
      else if (action === 'token' && allow.route.forwardToken) lines.push(name, value)
      else if (action === 'cookie')
        addCookies(lines, name, forwardedCookies(value, allow.route, isOwnCookie))
      else if (action === 'protocol') addProtocols(lines, name, value, allow.route)
      else if (action === 'connection' && !isPlainConnection(value))
        named ??= connectionNamed(headers)
    }
    let kept = named === undefined ? lines : withoutNamed(lines, named)
    const { requestEdits } = allow.route
    if (requestEdits !== undefined) kept = editHeaders(kept, requestEdits)
    if (allow.principal) kept.push(...allow.principal.identityHeaders)
    addForwarding(kept, facts, requestId)
    if (withForwarded) kept.push('forwarded', toForwardedField(facts))
    if (via !== undefined) kept.push('via', via)
    return kept
  }
}

export type BuildUpstreamTrailers = (trailers: RawHeaders) => RawHeaders

/** What would say something of the message or of its way, where an upstream takes trailers for fields (RFC 9110 section 6.5.1). */
const NOT_IN_TRAILERS: readonly string[] = [
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
]

/** Whatever an upstream could take for Poolgate's word, or for framing, ends here as it does among the fields. */
export function compileUpstreamTrailers(identityHeaders: readonly string[]): BuildUpstreamTrailers {
  const owned = compileOwnedHeaders(identityHeaders)
  const passes = (name: string) =>
    toAction(name, owned, false) === 'pass' && !NOT_IN_TRAILERS.includes(normaliseFieldName(name))
  return (trailers) => trailers.filter((_, i) => passes(trailers[i - (i % 2)] as string))
}

function toAction(
  name: string,
  owned: ReturnType<typeof compileOwnedHeaders>,
  withForwarded: boolean,
): Action {
  const normalised = normaliseFieldName(name)
  if (normalised === 'connection') return 'connection'
  // Many upstreams read `_` as `-`, some decode `%`: such a name could be any other.
  if (/[_%]/.test(name) || isHopByHop(normalised)) return 'drop'
  if (normalised === 'authorization') return 'token'
  if (normalised === 'cookie') return 'cookie'
  if (normalised === 'sec-websocket-protocol') return 'protocol'
  if (normalised === 'x-forwarded-for' || normalised === 'x-request-id') return 'drop'
  if (withForwarded && normalised === 'forwarded') return 'drop'
  const owner = owned(normalised)
  if (owner === 'always' || owner === 'never') return 'drop'
  return owner === 'unless_trusted' ? 'peer' : 'pass'
}

function addCookies(lines: string[], name: string, kept: string): void {
  if (kept !== '') lines.push(name, kept)
}

/** What a service gets of a Cookie field: the gateway's own cookies never, a token if the route passes it on. */
export function forwardedCookies(
  field: string,
  { places, forwardToken }: Pick<Route, 'places' | 'forwardToken'>,
  isOwn: IsOwnCookie,
): string {
  const kept = field.includes('__Host-') ? withoutCookies(field, isOwn) : field
  const cookie = forwardToken ? undefined : places?.cookie
  return cookie === undefined ? kept : takeCookie(kept, cookie).rest
}

function addProtocols(lines: string[], name: string, value: string, { places }: Route): void {
  const kept = places?.webSocketProtocol === true ? takeProtocol(value).rest : value
  if (kept !== '') lines.push(name, kept)
}

/** RFC 9110 section 7.6.1: what Connection names ends here. Framing is ours to say, and a Host is always sent. */
function withoutNamed(lines: RawHeaders, named: ReadonlySet<string>): string[] {
  const stays = (name: string) => {
    const lower = name.toLowerCase()
    return lower === 'host' || lower === 'content-length' || !named.has(lower)
  }
  return lines.filter((_, i) => stays(lines[i - (i % 2)] as string))
}

function addForwarding(lines: string[], facts: RequestFacts, requestId: string): void {
  const earlier = facts.peerTrusted ? listValue(facts.headers, 'x-forwarded-for') : undefined
  const peer = facts.peerAddress
  if (peer !== '') lines.push('x-forwarded-for', earlier ? `${earlier}, ${peer}` : peer)
  if (!facts.peerTrusted || !has(lines, 'x-forwarded-proto')) {
    lines.push('x-forwarded-proto', facts.secure ? 'https' : 'http')
  }
  if (!facts.peerTrusted || !has(lines, 'x-forwarded-host')) {
    lines.push('x-forwarded-host', facts.host.authority)
  }
  lines.push('x-request-id', requestId)
}

function has(lines: RawHeaders, name: string): boolean {
  return lines.some((field, i) => i % 2 === 0 && field.toLowerCase() === name)
}
