// An upstream that is nowhere: it answers with the caller's own temporary credentials, for whoever calls AWS without the gateway. The route
// decides who may ask, its app clients whose token is exchanged, and nothing on the way may keep the answer.
import { isNoCredentials } from '../aws/aws-credentials.ts'
import type { IdentityPool } from '../aws/identity-pool.ts'
import type { Allow } from '../policy/decision.ts'
import { toUnsigned } from './failure.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { Upstream } from './upstream.ts'

export interface HandOutSettings {
  readonly name: string
  /** App clients whose ID tokens are exchanged. */
  readonly clientIds: readonly string[]
}

export function createHandOutUpstream(
  { name, clientIds }: HandOutSettings,
  pool: Pick<IdentityPool, 'find'>,
): Upstream {
  return {
    name,
    targets: () => [],
    ready: () => true,
    report: () => ({ ...NOTHING, name }),
    dispatch({ login }: Allow, { method, body }: UpstreamRequest, sink: ResponseSink) {
      let isOver = false
      const call: UpstreamCall = {
        abort() {
          isOver = true
        },
        resume: () => undefined,
      }
      const fail = (kind: 'login' | 'denied' | 'refused', detail: string) => {
        sink.failed({ kind, detail })
        return call
      }
      if (login === undefined) return fail('login', 'no ID token of the caller')
      if (method !== 'GET' || body !== null) return fail('refused', 'only GET is answered')
      if (!clientIds.includes(login.clientId)) {
        return fail('denied', 'the ID token is for an app client that is not in clientIds')
      }
      void Promise.resolve(pool.find(login)).then((result) => {
        if (isOver) return
        if (isNoCredentials(result)) {
          sink.failed(toUnsigned(result))
          return
        }
        // As ECS has it, so that AWS's SDKs can ask here: Token, not SessionToken.
        const content = Buffer.from(
          JSON.stringify({
            AccessKeyId: result.accessKeyId,
            SecretAccessKey: result.secretAccessKey,
            Token: result.sessionToken,
            Expiration: new Date(result.expiresAtMs).toISOString(),
          }),
        )
        sink.head(200, [...HEAD, 'content-length', String(content.length)])
        sink.data(content)
        sink.ended([])
      })
      return call
    },
    close: async () => undefined,
    destroy: async () => undefined,
  }
}

const HEAD: readonly string[] = [
  'content-type',
  'application/json',
  'cache-control',
  'no-store',
  'vary',
  'Authorization, Cookie',
  'x-content-type-options',
  'nosniff',
  'cross-origin-resource-policy',
  'same-origin',
]

const NOTHING: Omit<ReturnType<Upstream['report']>, 'name'> = {
  targets: [],
  states: { healthy: 0, unchecked: 0, unhealthy: 0, ejected: 0 },
  isPanicking: false,
  ejections: 0,
  retries: 0,
  checks: { success: 0, failure: 0 },
}
