// What the requests of one AWS upstream share: its settings, its credentials, its signer and its clock.
import type { CredentialsResult } from '../aws/aws-credentials.ts'
import type { FieldRules } from '../aws/request-fields.ts'
import type { SignV4 } from '../aws/sigv4.ts'
import type { Clock } from '../base/clock.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { Allow } from '../policy/decision.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { LambdaFunction } from './lambda-call.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Upstream } from './upstream.ts'

export interface AwsUpstreamSettings extends FieldRules {
  readonly service: string
  readonly region: string
  /** Of the service itself. */
  readonly host: string
  /** What stands before every path; '' for nothing. */
  readonly prefix: string
  /** Bytes of a body that has to be read before it is sent. */
  readonly maxBody: number
  readonly hideInternals: boolean
  /** A function that is invoked with each request; undefined where the service speaks HTTP itself. */
  readonly lambda?: LambdaFunction | undefined
  /** Names, in lower case, of fields that AWS is not to see. */
  readonly hidden: readonly string[]
}

/** Whose credentials a request is signed with. */
export type CredentialsOf = (
  allow: Allow,
  headers: RawHeaders,
) => CredentialsResult | 'login' | Promise<CredentialsResult>

/** What the requests of one upstream share. */
export interface AwsCallParts {
  readonly settings: AwsUpstreamSettings
  readonly inner: Pick<Upstream, 'dispatch'>
  readonly clock: Clock
  readonly sign: SignV4
  readonly offset: ClockOffset
  readonly hidden: ReadonlySet<string>
  /** Of the whole process. */
  readonly memory: MemoryBudget
}
