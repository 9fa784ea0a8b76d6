// What an upstream of AWS would refuse of a request, and what it would send. By the upstream's own functions; it decides nothing, and asks
// nobody at AWS.
import { toCanonicalTarget } from '../aws/canonical-target.ts'
import { chooseRole } from '../aws/identity-pool.ts'
import { findRefusal } from '../aws/request-fields.ts'
import type { Config } from '../config/schema.ts'
import { identityPoolOf } from '../config/login-key.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, Deny, Route } from '../policy/decision.ts'
import { toAwsSource } from '../proxy/aws-sources.ts'
import { toUpstreamTarget } from '../proxy/upstream-target.ts'

type Refusal = Pick<Deny, 'reason' | 'detail'>

/** Undefined where nothing is refused before AWS is asked, or where the upstream is none of AWS. */
export function findAwsRefusal(
  config: Config,
  facts: RequestFacts,
  { route, login }: Pick<Allow, 'route' | 'login'>,
): Refusal | undefined {
  const { aws, handOut } = config.upstreams[route.upstream ?? ''] ?? {}
  const name = identityPoolOf(route.upstream ?? '', config)
  const pool = name === undefined ? undefined : config.identityPools[name]
  const role = pool && chooseRole(pool, login)
  if (typeof role === 'object') return { reason: 'credentials_denied', detail: role.detail }
  if (handOut !== undefined && login !== undefined && !handOut.clientIds.includes(login.clientId)) {
    const detail = 'the ID token is for an app client that is not in clientIds'
    return { reason: 'credentials_denied', detail }
  }
  if (aws === undefined) return undefined
  const { settings } = toAwsSource(aws, config)
  const target = canonicalTargetOf(facts, route, settings.prefix)
  const detail =
    target === undefined
      ? 'its query is broken'
      : findRefusal(facts.method, target, facts.headers, settings)
  return detail === undefined ? undefined : { reason: 'aws_request_refused', detail }
}

/** Method, host and path as they would be sent to AWS; undefined where the upstream is none of AWS. */
export function describeAwsRequest(
  config: Config,
  facts: RequestFacts,
  route: Route,
): string | undefined {
  const { aws } = config.upstreams[route.upstream ?? ''] ?? {}
  if (aws === undefined) return undefined
  const { origin, settings } = toAwsSource(aws, config)
  const target = canonicalTargetOf(facts, route, settings.prefix)
  const { service, region, lambda } = settings
  const scope = `signed for ${service} in ${region}`
  if (lambda !== undefined) return `function ${lambda.name} is invoked at ${origin}, ${scope}`
  return target && `${facts.method} ${origin}${target.path}, ${scope}`
}

function canonicalTargetOf(facts: RequestFacts, route: Route, prefix: string) {
  const target = toUpstreamTarget(facts.target, route)
  return typeof target === 'string' ? toCanonicalTarget(prefix + target) : undefined
}
