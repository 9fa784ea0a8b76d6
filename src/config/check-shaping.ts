// Rules for what a route may change: never what says who calls, where a message ends, or how it came here.
import { compileOwnedHeaders, isHopByHop, normaliseFieldName } from '../http/headers.ts'
import { asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/**
 * @param route what the file says of one route, before defaults
 * @param identityHeaders names that are configured
 */
export function checkShaping(
  route: Mapping,
  path: ConfigPath,
  identityHeaders: readonly string[],
): Finding[] {
  const isOwned = compileOwnedHeaders(identityHeaders)
  const request = (name: string, key: string) =>
    whyNot(name, isOwned) ?? whyNotRequest(name, key, route)
  const response = (name: string) => whyNot(name, isOwned)
  return [
    ...checkRewrite(route, path),
    ...checkEdits(route.requestHeaders, [...path, 'requestHeaders'], request),
    ...checkEdits(route.responseHeaders, [...path, 'responseHeaders'], response),
  ]
}

function checkRewrite({ rewrite, match }: Mapping, path: ConfigPath): Finding[] {
  const given = asMapping(rewrite)
  if (rewrite !== given) return []
  if (Object.keys(given).length === 0) {
    return [{ path: [...path, 'rewrite'], message: 'an empty mapping would change nothing' }]
  }
  const strip = asText(given.stripPrefix)
  const pattern = asText(asMapping(match).path)
  if (strip === undefined || pattern === undefined) return []
  if (pattern === strip || pattern.startsWith(`${strip}/`)) return []
  const message = 'can never be stripped: match.path does not begin with these segments'
  return [{ path: [...path, 'rewrite', 'stripPrefix'], message }]
}

function checkEdits(
  edits: unknown,
  path: ConfigPath,
  why: (name: string, key: string) => string | undefined,
): Finding[] {
  const given = asMapping(edits)
  if (edits !== given) return []
  const names: [ConfigPath, string, string][] = [
    ...Object.keys(asMapping(given.set)).map((name): [ConfigPath, string, string] => [
      [...path, 'set', name],
      name,
      'set',
    ]),
    ...asTexts(given.remove).map((name, i): [ConfigPath, string, string] => [
      [...path, 'remove', i],
      name,
      'remove',
    ]),
  ]
  if (names.length === 0) return [{ path, message: 'names no header; it would change nothing' }]
  const seen = new Set<string>()
  return names.flatMap(([place, name, key]) => {
    const normal = normaliseFieldName(name)
    const twice = seen.has(normal) ? 'is named twice; set replaces every form of a name' : undefined
    seen.add(normal)
    const message = why(normal, key) ?? twice
    return message === undefined
      ? []
      : [{ path: place, message, part: key === 'set' ? ('key' as const) : undefined }]
  })
}

function whyNot(name: string, isOwned: ReturnType<typeof compileOwnedHeaders>): string | undefined {
  if (isHopByHop(name)) return 'ends at each hop, and is not for a route to change'
  if (name === 'content-length')
    return 'says where the message ends, and is not for a route to change'
  if (name.startsWith('sec-websocket-')) return 'is what both ends of a WebSocket agree on'
  if (name === 'x-request-id') return 'is the id that Poolgate logs'
  if (isOwned(name) === 'never') return 'would make it another request behind the decision'
  return isOwned(name) === 'always' ? 'says who calls, which is for Poolgate alone' : undefined
}

function whyNotRequest(name: string, key: string, { forwardToken }: Mapping): string | undefined {
  if (name === 'host') return 'is chosen by host: client or upstream of the upstream'
  if (name === 'authorization') {
    if (key === 'remove') return 'is kept back by forwardToken: false'
    return forwardToken === false
      ? undefined
      : 'needs forwardToken: false; there is one Authorization'
  }
  if (name === 'expect') return 'is between the client and Poolgate'
  const isProxys = name === 'forwarded' || name === 'via' || name === 'x-real-ip'
  if (isProxys || name.startsWith('x-forwarded-')) return 'says how the request came here'
  return undefined
}
