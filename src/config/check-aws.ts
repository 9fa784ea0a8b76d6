// Rules between identity pools, the upstreams that use them and the routes that lead there. Reads values of any shape, so that one bad
// setting hides no other problem.
import { compileOwnedHeaders, normaliseFieldName } from '../http/headers.ts'
import { isTakenHeaderName } from './identity-header-names.ts'
import { asList, asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import { didYouMean } from './suggest.ts'
import type { Finding } from './yaml-source.ts'

/** @param settings what the file says, before defaults */
export function checkAws(settings: Mapping): Finding[] {
  const pools = asMapping(settings.identityPools)
  const userPools = asMapping(settings.userPools)
  const upstreams = asMapping(settings.upstreams)
  return [
    ...Object.entries(pools).flatMap(([name, pool]) => [
      ...checkUserPool(asMapping(pool), ['identityPools', name], userPools),
      ...checkUnverified(asMapping(pool), ['identityPools', name], settings),
    ]),
    ...Object.entries(upstreams).flatMap(([name, value]) => {
      const { aws, handOut } = asMapping(value)
      const path = ['upstreams', name]
      return [
        ...checkService(asMapping(aws), [...path, 'aws'], pools),
        ...checkPoolName(asMapping(handOut), [...path, 'handOut'], pools),
        ...checkHandOut(asMapping(handOut), [...path, 'handOut'], settings),
      ]
    }),
    ...asList(settings.routes).flatMap((value, index) =>
      checkRoute(asMapping(value), ['routes', index], settings),
    ),
  ]
}

function checkUserPool(pool: Mapping, path: ConfigPath, userPools: Mapping): Finding[] {
  const names = Object.keys(userPools)
  const name = asText(pool.userPool)
  const place = [...path, 'userPool']
  if (name === undefined) {
    if (names.length < 2) return []
    const message = `is required where there are several user pools: ${names.join(', ')}`
    return [{ path: place, message }]
  }
  if (Object.hasOwn(userPools, name)) return []
  return [{ path: place, message: `there is no user pool of this name${didYouMean(name, names)}` }]
}

/** Callers whose tokens Poolgate does not verify, or who have none. */
function checkUnverified(pool: Mapping, path: ConfigPath, settings: Mapping): Finding[] {
  const findings: Finding[] = []
  if (pool.guests === true && pool.flow === 'basic') {
    const message = "cannot be on with flow: basic: guests would assume the users' role"
    findings.push({ path: [...path, 'guests'], message })
  }
  const isOwned = compileOwnedHeaders(Object.keys(asMapping(settings.identityHeaders)))
  for (const [provider, header] of Object.entries(asMapping(pool.logins))) {
    const name = normaliseFieldName(asText(header) ?? '')
    if (isOwned(name) === 'no' && !isTakenHeaderName(name)) continue
    const message =
      'never arrives from a client, or has a meaning of its own; choose another header'
    findings.push({ path: [...path, 'logins', provider], message })
  }
  return findings
}

function checkPoolName(given: Mapping, path: ConfigPath, pools: Mapping): Finding[] {
  const name = asText(given.identityPool)
  if (name === undefined || Object.hasOwn(pools, name)) return []
  const message = `there is no identity pool of this name${didYouMean(name, Object.keys(pools))}`
  return [{ path: [...path, 'identityPool'], message }]
}

/** App clients whose tokens the user pool's own list refuses already. */
function checkHandOut(handOut: Mapping, path: ConfigPath, settings: Mapping): Finding[] {
  const userPools = asMapping(settings.userPools)
  const pool = asMapping(asMapping(settings.identityPools)[asText(handOut.identityPool) ?? ''])
  const name = asText(pool.userPool) ?? Object.keys(userPools)[0] ?? ''
  const { clientIds } = asMapping(userPools[name])
  if (!Array.isArray(clientIds)) return []
  return asTexts(handOut.clientIds).flatMap((clientId, index): Finding[] => {
    if (clientIds.includes(clientId)) return []
    const message = `is none of userPools.${name}.clientIds: its tokens are refused`
    return [{ path: [...path, 'clientIds', index], message }]
  })
}

/** Setting → the service that alone has it. */
const ONLY: Readonly<Record<string, string>> = {
  bucket: 's3',
  pathStyle: 's3',
  otherKeys: 's3',
  hideInternals: 's3',
  function: 'lambda',
  streaming: 'lambda',
}

function checkService(aws: Mapping, path: ConfigPath, pools: Mapping): Finding[] {
  const service = asText(aws.service)
  if (service === undefined || !/^[a-z0-9-]+$/.test(service)) return []
  const findings = checkPoolName(aws, path, pools)
  const add = (key: string, message: string) => findings.push({ path: [...path, key], message })
  for (const [key, only] of Object.entries(ONLY)) {
    if (isSet(aws[key]) && service !== only) add(key, `is for service: ${only} alone`)
  }
  const isGateways = 'credentials' in aws
  if ('identityPool' in aws && isGateways) {
    add(
      'credentials',
      "cannot stand beside identityPool: requests are signed as the caller's, or not",
    )
  } else if (!('identityPool' in aws || isGateways)) {
    add('identityPool', 'is required, or credentials: gateway')
  }
  if (isGateways && !('region' in aws)) add('region', 'is required beside credentials: gateway')
  if (service === 'apigateway') {
    add('service', 'is the API that manages APIs; to call one, write execute-api and its endpoint')
  }
  if (!('endpoint' in aws) && service === 'execute-api') {
    add('endpoint', 'is required: https://API_ID.execute-api.REGION.amazonaws.com')
  }
  if (!('endpoint' in aws || 'function' in aws) && service === 'lambda') {
    add('function', 'is required, or endpoint with a function URL')
  }
  if (isSet(aws.streaming) && !('function' in aws)) {
    add('streaming', 'says nothing without function: a function URL streams by itself')
  }
  if (String(aws.bucket).includes('.') && aws.pathStyle !== true && !('endpoint' in aws)) {
    add('bucket', "has a dot, which S3's certificate is not for: set pathStyle: true")
  }
  const { hostname = '' } = URL.parse(asText(aws.endpoint) ?? '') ?? {}
  if ('bucket' in aws && 'endpoint' in aws && aws.pathStyle !== true) {
    if (!hostname.startsWith(`${asText(aws.bucket)}.`)) {
      add('pathStyle', 'has to be true: the endpoint is not that of the bucket')
    }
  }
  return findings
}

/** A default that is written out sets nothing. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== false
}

function checkRoute(route: Mapping, path: ConfigPath, settings: Mapping): Finding[] {
  const name = asText(route.upstream) ?? ''
  const upstreams = asMapping(settings.upstreams)
  const upstream = asMapping(Object.hasOwn(upstreams, name) ? upstreams[name] : undefined)
  const aws = asMapping(upstream.aws ?? upstream.handOut)
  if (aws !== (upstream.aws ?? upstream.handOut)) return []
  const findings: Finding[] = []
  if (asList(route.upgrades).length > 0) {
    const message = 'cannot be: requests to AWS are signed one by one'
    findings.push({ path: [...path, 'upgrades'], message })
  }
  const pools = asMapping(settings.identityPools)
  const pool = asMapping(pools[asText(aws.identityPool) ?? ''])
  const isOpen = pool.guests === true || Object.keys(asMapping(pool.logins)).length > 0
  if (route.access === 'public' && 'identityPool' in aws && !(isOpen && 'aws' in upstream)) {
    const message =
      "cannot be public: its requests are signed with the caller's credentials, and nobody is asked who that is (or set guests)"
    findings.push({ path: [...path, 'access'], message })
  }
  const wanted = asText(asMapping(route.access).userPool)
  const own = asText(pool.userPool)
  if (wanted !== undefined && own !== undefined && wanted !== own) {
    const message = "takes tokens of another user pool than its upstream's identity pool does"
    findings.push({ path: [...path, 'access', 'userPool'], message })
  }
  return findings
}
