// Rules for where a route takes tokens from, for how long, and for what it goes on with: what could never have a meaning is told.
import { WEB_SOCKET } from '../http/upgrade.ts'
import { asMapping, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/** Where only an upgrade has a meaning, and where it can never come about. */
function checkUpgrades(route: Mapping, path: ConfigPath): Finding[] {
  const upgrades = asTexts(route.upgrades).map((name) => name.toLowerCase())
  const methods = asTexts(asMapping(route.match).methods)
  const findings: Finding[] = []
  if (upgrades.length > 0 && methods.length > 0 && !methods.includes('GET')) {
    const message =
      'can never come about: a request for an upgrade is a GET, which match.methods leaves out'
    findings.push({ path: [...path, 'upgrades'], message })
  }
  if (asMapping(route.credentials).webSocketProtocol === true && !upgrades.includes(WEB_SOCKET)) {
    const message = 'means nothing without upgrades: [websocket]'
    findings.push({ path: [...path, 'credentials', 'webSocketProtocol'], message })
  }
  return findings
}

/** @param route what the file says of one route, before defaults */
export function checkStreams(route: Mapping, path: ConfigPath): Finding[] {
  return [...checkCredentials(route, path), ...checkUpgrades(route, path)]
}

function checkCredentials(route: Mapping, path: ConfigPath): Finding[] {
  if (route.access === 'public') {
    const message = 'means nothing on a public route: nobody is asked for a token there'
    // The default, written down, asks for nothing.
    return ['credentials', 'atExpiry']
      .filter((key) => key in route && route[key] !== 'end')
      .map((key) => ({ path: [...path, key], message }))
  }
  const credentials = asMapping(route.credentials)
  if ('origins' in credentials && !('cookie' in credentials)) {
    const message = 'means nothing without a cookie: no other place is filled by a browser itself'
    return [{ path: [...path, 'credentials', 'origins'], message }]
  }
  if (route.credentials !== credentials || Object.keys(credentials).length > 0) return []
  const message = 'an empty mapping; leave it out where tokens are in Authorization alone'
  return [{ path: [...path, 'credentials'], message }]
}
