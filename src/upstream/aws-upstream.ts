// An upstream that is a service of AWS: each request is signed with credentials of its caller, or of the gateway where that is configured.
// What cannot be signed as its caller's is never sent.
import { createSigner } from '../aws/sigv4.ts'
import type { Clock } from '../base/clock.ts'
import {
  AwsCall,
  type AwsCallParts,
  type AwsUpstreamSettings,
  type CredentialsOf,
} from './aws-call.ts'
import { createClockOffset } from './clock-offset.ts'
import { createKeptBodies } from './kept-body.ts'
import type { Upstream } from './upstream.ts'

export interface AwsUpstreamPorts {
  readonly clock: Clock
  readonly credentialsOf: CredentialsOf
}

export function createAwsUpstream(
  settings: AwsUpstreamSettings,
  inner: Upstream,
  { clock, credentialsOf }: AwsUpstreamPorts,
): Upstream {
  const parts: AwsCallParts = {
    settings,
    inner,
    clock,
    sign: createSigner(settings),
    offset: createClockOffset(clock),
    hidden: new Set(settings.hidden),
    kept: createKeptBodies(settings.maxBody),
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
