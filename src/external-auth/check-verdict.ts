// A decision as Envoy's external authorization has it: what to set and to remove before the request goes on, or the answer in its place.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, DenyReason, Preflight } from '../policy/decision.ts'
import { toDenialResponse } from '../proxy/denial-response.ts'
import type { Ruleset } from '../proxy/ruleset.ts'
import { type CheckResponse, type HeaderValueOption, OVERWRITE } from './check-messages.ts'
import { namesToRemove } from './verdict-fields.ts'

/** Codes of gRPC: what becomes of the check, not of the request. */
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

export function toAllowed(
  facts: RequestFacts,
  allow: Allow,
  rules: Pick<Ruleset, 'identityHeaders' | 'ownerOf'>,
): CheckResponse {
  const lines = allow.principal?.identityHeaders ?? []
  const headers: HeaderValueOption[] = []
  for (let i = 0; i < lines.length; i += 2) {
    headers.push(toOption(lines[i] as string, lines[i + 1] as string))
  }
  const query = allow.route.places?.query
  return {
    status: { code: 0 },
    okResponse: {
      headers,
      headersToRemove: namesToRemove(facts, allow, rules),
      queryParametersToRemove: query === undefined ? [] : [query],
    },
  }
}

export function toDenied(
  reason: DenyReason,
  requestId: string,
  retryAfterSeconds?: number,
): CheckResponse {
  const { status, headers, body } = toDenialResponse(reason, requestId, retryAfterSeconds)
  return {
    status: { code: status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED, message: reason },
    deniedResponse: {
      status: { code: status },
      headers: toOptions({ ...headers, 'x-poolgate-reason': reason }),
      body,
    },
  }
}

/** What only looks like a denial: Envoy answers the browser in the place of the upstream. */
export function toPermitted({ fields }: Preflight, requestId: string): CheckResponse {
  return {
    status: { code: PERMISSION_DENIED, message: 'preflight' },
    deniedResponse: {
      status: { code: 204 },
      headers: toOptions({ ...fields, 'x-request-id': requestId }),
      body: '',
    },
  }
}

function toOptions(headers: Readonly<Record<string, string>>): HeaderValueOption[] {
  const own = Object.entries(headers).filter(([name]) => name !== 'content-length')
  return own.map(([name, value]) => toOption(name, value))
}

function toOption(key: string, value: string): HeaderValueOption {
  return { header: { key, value }, appendAction: OVERWRITE }
}
