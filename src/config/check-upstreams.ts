// Rules between the settings of an upstream, and targets that can never work. Reads values of any shape, so that one bad setting
// hides no other problem.
import { isIP } from 'node:net'
import { toSpecialUse } from '../base/special-address.ts'
import { toBareHost } from '../http/host.ts'
import { asList, asMapping, asText, type Mapping } from './loose.ts'
import { type ListenAddress, listenText, parseListenAddress } from './listen-address.ts'
import type { ConfigPath } from './problem.ts'
import { isLoopbackHost, parseOrigin } from './web-address.ts'
import type { Finding } from './yaml-source.ts'

/** @param settings what the file says, before defaults */
export function checkUpstreams(settings: Mapping): Finding[] {
  const own = ownAddresses(settings)
  return Object.entries(asMapping(settings.upstreams)).flatMap(([name, value]) => {
    const upstream = asMapping(value)
    if (upstream !== value) return []
    const path = ['upstreams', name]
    return [
      ...checkSource(upstream, path),
      ...checkHashOn(upstream, path),
      ...checkTargets(asList(upstream.targets), [...path, 'targets'], own),
      ...checkDiscover(upstream.discover, [...path, 'discover']),
    ]
  })
}

const SOURCES = ['targets', 'discover', 'aws', 'handOut']

function checkSource(upstream: Mapping, path: ConfigPath): Finding[] {
  const [first, ...others] = SOURCES.filter((source) => source in upstream)
  if (first === undefined)
    return [{ path: [...path, 'targets'], message: 'is required, or discover' }]
  const second = others.map((source) => ({
    path: [...path, source],
    message:
      source === 'discover'
        ? 'cannot stand beside targets: they are either listed or discovered'
        : `cannot stand beside ${first}: requests go to one place`,
  }))
  if (!['aws', 'handOut'].includes(first) || !('health' in upstream)) return second
  return [...second, { path: [...path, 'health'], message: `says nothing beside ${first}` }]
}

function checkHashOn(upstream: Mapping, path: ConfigPath): Finding[] {
  if (!('hashOn' in upstream) || upstream.balance === 'hash') return []
  return [{ path: [...path, 'hashOn'], message: 'says nothing without balance: hash' }]
}

function checkTargets(
  targets: readonly unknown[],
  path: ConfigPath,
  own: readonly OwnAddress[],
): Finding[] {
  const plain = targets.map((target) => toPlainTarget(asText(target)))
  return plain.flatMap((target, index): Finding[] => {
    if (target === undefined) return []
    const earlier = plain.indexOf(target)
    const message = earlier < index ? `is the same as targets[${earlier}]` : findFlaw(target, own)
    return message === undefined ? [] : [{ path: [...path, index], message }]
  })
}

/** A last dot makes another URL, and no other target. */
function toPlainTarget(target: string | undefined): string | undefined {
  if (target?.startsWith('unix:')) return target
  return parseOrigin(target ?? '')?.replace(/\.(?=:\d+$|$)/, '')
}

function findFlaw(target: string, own: readonly OwnAddress[]): string | undefined {
  const { protocol, hostname, port } = new URL(target)
  const host = toBareHost(hostname)
  if (port === '0') return 'nothing can be reached at port 0'
  const use = isIP(host) === 0 ? undefined : toSpecialUse(host)
  if (use === 'unspecified') return 'is no address to connect to; for this machine write 127.0.0.1'
  if (use === 'multicast') return 'is no address to connect to'
  const number = Number(port) || (protocol === 'https:' ? 443 : 80)
  const loop = own.find(({ address }) =>
    address.kind === 'unix'
      ? target === `unix:${address.path}`
      : protocol !== 'unix:' && address.port === number && leadsTo(host, address.host),
  )
  return loop && `is the gateway's own ${loop.name}: requests would go round`
}

interface OwnAddress {
  readonly name: string
  readonly address: ListenAddress
}

function ownAddresses(settings: Mapping): OwnAddress[] {
  return (['listen', 'admin', 'extAuthz'] as const).flatMap((name) => {
    const address = parseListenAddress(listenText(settings, name))
    return 'problem' in address ? [] : [{ name, address }]
  })
}

/** As far as texts tell: a name may lead anywhere. */
function leadsTo(host: string, bound: string): boolean {
  if (host === bound.toLowerCase()) return true
  if (!isLoopbackHost(host)) return false
  const isEvery = isIP(bound) !== 0 && toSpecialUse(bound) === 'unspecified'
  return isEvery || (isLoopbackHost(bound) && [host, bound].includes('localhost'))
}

function checkDiscover(value: unknown, path: ConfigPath): Finding[] {
  const discover = asMapping(value)
  if (discover !== value) return []
  const [first, second] = ['dns', 'srv', 'ec2'].filter((kind) => kind in discover)
  if (first === undefined) return [{ path, message: 'needs dns, srv or ec2' }]
  if (second !== undefined) {
    const message = `cannot stand beside ${first}: targets are discovered in one way`
    return [{ path: [...path, second], message }]
  }
  if (first === 'ec2') return checkEc2(discover, path)
  return checkLiteral(asText(discover[first]), [...path, first])
}

function checkLiteral(origin: string | undefined, path: ConfigPath): Finding[] {
  const { hostname = '' } = URL.parse(origin ?? '') ?? {}
  if (isIP(toBareHost(hostname)) === 0) return []
  return [{ path, message: 'an address never changes; write it in targets' }]
}

function checkEc2(discover: Mapping, path: ConfigPath): Finding[] {
  const ec2 = asMapping(discover.ec2)
  const unused = ['servers', 'allowLinkLocal'].filter((key) => key in discover)
  const findings = unused.map((key) => ({
    path: [...path, key],
    message: 'says nothing beside ec2, which asks no name server',
  }))
  if (ec2 !== discover.ec2) return findings
  const place = [...path, 'ec2']
  if ('autoScalingGroup' in ec2 && 'tags' in ec2) {
    const message = 'cannot stand beside autoScalingGroup: one of them says which instances'
    return [...findings, { path: [...place, 'tags'], message }]
  }
  const isNamed = 'autoScalingGroup' in ec2 || Object.keys(asMapping(ec2.tags)).length > 0
  if (isNamed || ('tags' in ec2 && asMapping(ec2.tags) !== ec2.tags)) return findings
  const message = 'needs autoScalingGroup or tags: nobody means every instance'
  return [...findings, { path: place, message }]
}
