// Rules of what only answers decisions: an ingress that is trusted to ask, and routes whose requests are never forwarded from here.
import { listenText } from './listen-address.ts'
import { asList, asMapping, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/** Settings of a route that only forwarding carries out. */
const OF_FORWARDING: readonly string[] = [
  'atExpiry',
  'cors',
  'maxBody',
  'requestHeaders',
  'responseHeaders',
  'rewrite',
  'timeouts',
  'upgrades',
]

/** @param settings what the file says, before defaults */
export function checkDecisions(settings: Mapping): Finding[] {
  const named = 'none' in asMapping(settings.upstreams)
  const rival: Finding[] = named
    ? [
        {
          path: ['upstreams', 'none'],
          message: 'none stands for no upstream; choose another name',
          part: 'key',
        },
      ]
    : []
  return [...rival, ...checkAskers(settings), ...checkUnix(settings)]
}

/** Whoever may ask decides what is asked: without a list of them nobody would ever get an answer but 403. */
function checkAskers(settings: Mapping): Finding[] {
  if (asList(settings.trustedProxies).length > 0) return []
  const message = 'needs trustedProxies: the addresses of the ingress that asks for decisions'
  const index = asList(settings.routes).findIndex((route) => asMapping(route).upstream === 'none')
  const findings: Finding[] = index === -1 ? [] : [{ path: ['routes', index, 'upstream'], message }]
  const { extAuthz = 'none' } = settings
  if (extAuthz !== 'none') findings.push({ path: ['extAuthz'], message })
  return findings
}

/** That peers of each kind of listener that there is can be among those that are named. */
function checkUnix(settings: Mapping): Finding[] {
  const trusted = asList(settings.trustedProxies)
  const index = trusted.indexOf('unix')
  const isUnix = (name: 'listen' | 'extAuthz') => listenText(settings, name).startsWith('unix:')
  if (index === -1) {
    const routes = asList(settings.routes).map(asMapping)
    const isAsked = isUnix('listen') && routes.some(({ upstream }) => upstream === 'none')
    if (trusted.length === 0 || (!isAsked && !isUnix('extAuthz'))) return []
    const message = 'nobody on a unix socket could ask for decisions: add unix'
    return [{ path: ['trustedProxies'], message }]
  }
  if (isUnix('listen') || isUnix('extAuthz')) return []
  const message = 'stands for peers of a unix socket, and neither listen nor extAuthz is one'
  return [{ path: ['trustedProxies', index], message }]
}

/** What could not hold on a route whose requests the ingress forwards. */
export function checkDecisionRoute(route: Mapping, path: ConfigPath): Finding[] {
  if (route.upstream !== 'none') return []
  const idle = OF_FORWARDING.filter((name) => name in route).map((name): Finding => {
    const message = 'does nothing beside upstream: none; the ingress that asks forwards the request'
    return { path: [...path, name], message, part: 'key' }
  })
  if (!('query' in asMapping(route.credentials))) return idle
  const message = 'a token in the query would be forwarded and logged by the ingress that asks'
  return [...idle, { path: [...path, 'credentials', 'query'], message, part: 'key' }]
}
