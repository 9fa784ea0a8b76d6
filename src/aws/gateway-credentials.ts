// The gateway's own role, found the way that AWS's programs find theirs: environment, IRSA, Pod Identity, ECS, EC2. Loaded only where it is
// configured, and never used for a request that is to be its caller's.
import type { Clock } from '../base/clock.ts'
import type { AwsCredentials, CredentialsResult } from './aws-credentials.ts'

export interface GatewayCredentials {
  /** At once while they are fresh. Never rejects. */
  find(): CredentialsResult | Promise<CredentialsResult>
}

/** @returns how the SDK finds them; rejects where there are none */
export type LoadCredentials = () => Promise<SdkCredentials>

interface SdkCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

const MARGIN_MS = 5 * 60_000

export function createGatewayCredentials(
  clock: Pick<Clock, 'now'>,
  load: LoadCredentials = createSdkChain(),
): GatewayCredentials {
  let kept: AwsCredentials | undefined
  let underWay: Promise<CredentialsResult> | undefined

  async function ask(): Promise<CredentialsResult> {
    try {
      const { expiration, ...keys } = await load()
      const expiresAtMs = expiration?.getTime() ?? Number.POSITIVE_INFINITY
      kept = { ...keys, expiresAtMs }
      return kept
    } catch (error) {
      const why = error instanceof Error ? error.message : 'the provider gave no reason'
      const detail = `the gateway has no credentials of its own: ${why}`
      return { kind: 'unavailable', detail, retryAfterSeconds: 5 }
    }
  }

  return {
    find() {
      if (kept !== undefined && clock.now() < kept.expiresAtMs - MARGIN_MS) return kept
      underWay ??= ask().finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}

/** The chain remembers and renews by itself as well. */
function createSdkChain(): LoadCredentials {
  let chain: LoadCredentials | undefined
  return async () => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
    chain ??= fromNodeProviderChain()
    return chain()
  }
}
