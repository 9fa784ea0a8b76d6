// Rules between settings other than what a route matches and asks. Reads values of any shape, so that one bad setting hides no other problem.
import { normaliseFieldName } from '../http/headers.ts'
import { checkDecisions } from './check-decisions.ts'
import { checkTransport } from './check-transport.ts'
import { parseDuration } from './duration.ts'
import { isTakenHeaderName } from './identity-header-names.ts'
import { listenText, parseListenAddress } from './listen-address.ts'
import { asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import { parseSize } from './size.ts'
import { userPoolDefaults } from './user-pool-defaults.ts'
import type { Finding } from './yaml-source.ts'

/** @param settings what the file says, before defaults */
export function checkSettings(settings: Mapping): Finding[] {
  return [
    ...checkListeners(settings),
    ...checkDecisions(settings),
    ...checkIdentityHeaders(asMapping(settings.identityHeaders)),
    ...checkIssuers(asMapping(settings.userPools)),
    ...(Array.isArray(settings.routes) ? settings.routes : []).flatMap((route, index) =>
      checkTotal(['routes', index, 'timeouts'], asMapping(asMapping(route).timeouts)),
    ),
    ...Object.entries(asMapping(settings.upstreams)).flatMap(([name, upstream]) =>
      checkUpstream(['upstreams', name], asMapping(upstream)),
    ),
    ...Object.entries(asMapping(settings.userPools)).flatMap(([name, pool]) =>
      checkOrder(parseDuration, ['userPools', name], asMapping(pool), {
        less: 'jwksRefresh',
        lessDefault: '5m',
        more: 'jwksMaxStale',
        moreDefault: '24h',
      }),
    ),
    ...checkOrder(parseDuration, ['timeouts'], asMapping(settings.timeouts), {
      less: 'checkInterval',
      lessDefault: '2s',
      more: 'headers',
      moreDefault: '10s',
    }),
    // Node's server refuses the reverse, and only as it starts.
    ...checkOrder(parseDuration, ['timeouts'], asMapping(settings.timeouts), {
      less: 'headers',
      lessDefault: '10s',
      more: 'request',
      moreDefault: 'none',
    }),
    ...checkOrder(parseSize, ['limits'], asMapping(settings.limits), {
      less: 'target',
      lessDefault: '8KiB',
      more: 'headerBytes',
      moreDefault: '32KiB',
    }),
  ]
}

function checkUpstream(path: ConfigPath, upstream: Mapping): Finding[] {
  const times = checkTotal([...path, 'timeouts'], asMapping(upstream.timeouts))
  const checks = checkOrder(parseDuration, [...path, 'health'], asMapping(upstream.health), {
    less: 'timeout',
    lessDefault: '2s',
    more: 'interval',
    moreDefault: '5s',
  })
  return [...times, ...checks, ...checkEjection(path, upstream), ...checkTransport(path, upstream)]
}

/** A `maxTime` below `time` would cut it without a word. */
function checkEjection(path: ConfigPath, upstream: Mapping): Finding[] {
  const { time, maxTime } = asMapping(upstream.ejection)
  const most = parseDuration(asText(maxTime) ?? '30s')
  const first = parseDuration(asText(time) ?? '10s')
  if (most === undefined || first === undefined || first <= most) return []
  const message =
    maxTime === undefined
      ? 'is more than maxTime, which is 30s unless it is set'
      : 'must not be more than maxTime'
  return [{ path: [...path, 'ejection', time === undefined ? 'maxTime' : 'time'], message }]
}

/** Where only one of the two is set the shorter one holds, and nothing is contradicted. */
function checkTotal(path: ConfigPath, timeouts: Mapping): Finding[] {
  if (!('response' in timeouts && 'total' in timeouts)) return []
  return checkOrder(parseDuration, path, timeouts, {
    less: 'response',
    lessDefault: '30s',
    more: 'total',
    moreDefault: 'none',
  })
}

/** Each listener has an address of its own; a port on every interface is one on each. */
function checkListeners(settings: Mapping): Finding[] {
  const names = ['listen', 'admin', 'extAuthz'] as const
  return names.flatMap((name, index): Finding[] => {
    const address = listenText(settings, name)
    const rival = names.slice(0, index).find((other) => clash(listenText(settings, other), address))
    if (rival === undefined) return []
    return [{ path: [name], message: `must be another address than ${rival}` }]
  })
}

function clash(one: string, other: string): boolean {
  if (one === 'none' || other.endsWith(':0')) return false
  if (one === other) return true
  const [first, second] = [parseListenAddress(one), parseListenAddress(other)]
  if (!('kind' in first && first.kind === 'tcp' && 'kind' in second && second.kind === 'tcp')) {
    return false
  }
  const isEvery = ({ host }: { readonly host: string }) => host === '0.0.0.0' || host === '::'
  return first.port === second.port && (isEvery(first) || isEvery(second))
}

function checkIdentityHeaders(headers: Mapping): Finding[] {
  const first = new Map<string, string>()
  return Object.keys(headers).flatMap((name): Finding[] => {
    const path = ['identityHeaders', name]
    const normal = normaliseFieldName(name)
    const earlier = first.get(normal)
    first.set(normal, earlier ?? name)
    if (isTakenHeaderName(normal)) {
      return [
        { path, message: 'this header has a meaning of its own; choose another', part: 'key' },
      ]
    }
    if (earlier === undefined) return []
    return [{ path, message: `an upstream may take this for ${earlier}`, part: 'key' }]
  })
}

/** An issuer names the pool whose keys are asked, so it has to name one. */
function checkIssuers(pools: Mapping): Finding[] {
  const owners = new Map<string, string>()
  return Object.entries(pools).flatMap(([name, value]): Finding[] => {
    const pool = asMapping(value)
    const given = pool.issuer !== undefined
    const defaults = userPoolDefaults(asText(pool.userPoolId) ?? '')
    const issuers: readonly string[] = given ? asTexts(pool.issuer) : (defaults?.issuer ?? [])
    const owner = issuers.map((issuer) => owners.get(issuer)).find((other) => other !== undefined)
    for (const issuer of issuers) owners.set(issuer, owners.get(issuer) ?? name)
    if (owner === undefined) return []
    const path = ['userPools', name, given ? 'issuer' : 'userPoolId']
    return [{ path, message: `the user pool ${owner} accepts this issuer too; it has to name one` }]
  })
}

interface Order {
  readonly less: string
  readonly lessDefault: string
  readonly more: string
  readonly moreDefault: string
}

/** That one setting stays below another, each with its default; a default of `none` bounds nothing. */
function checkOrder(
  parse: (text: string) => number | undefined,
  path: ConfigPath,
  given: Mapping,
  { less, lessDefault, more, moreDefault }: Order,
): Finding[] {
  const lesser = parse(asText(given[less]) ?? lessDefault)
  const greater = parse(asText(given[more]) ?? moreDefault)
  if (lesser === undefined || greater === undefined || lesser < greater) return []
  const [guilty, word, other, fallback] =
    less in given ? [less, 'less', more, moreDefault] : [more, 'more', less, lessDefault]
  const unset = other in given ? '' : `, which is ${fallback} unless it is set`
  return [{ path: [...path, guilty], message: `must be ${word} than ${other}${unset}` }]
}
