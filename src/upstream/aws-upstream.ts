// An upstream that is a service of AWS: each request is signed with credentials of its caller, or of the gateway where that is configured.
// What cannot be signed as its caller's is never sent.
import { createSigner } from '../aws/sigv4.ts'
import type { Clock } from '../base/clock.ts'
import { AwsCall } from './aws-call.ts'
import type { AwsCallParts, AwsUpstreamSettings, CredentialsOf } from './aws-call-parts.ts'
import { createClockOffset } from './clock-offset.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Upstream } from './upstream.ts'

export interface AwsUpstreamPorts {
  readonly clock: Clock
  readonly credentialsOf: CredentialsOf
  readonly memory: MemoryBudget
}

export function createAwsUpstream(
  settings: AwsUpstreamSettings,
  inner: Upstream,
  { clock, credentialsOf, memory }: AwsUpstreamPorts,
): Upstream {
  const parts: AwsCallParts = {
    settings,
    inner,
    clock,
    sign: createSigner(settings),
    offset: createClockOffset(clock),
    hidden: new Set(settings.hidden),
    memory,
  }
  return {
    ...inner,
    dispatch(allow, request, sink) {
      const call = new AwsCall(allow, request, sink, parts)
      call.begin(credentialsOf)
      return call
    },
  }
}
