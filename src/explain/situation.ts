// What a denial was about, for whoever says what to change. Never holds a token.
import type { Config } from '../config/schema.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Principal } from '../policy/principal.ts'
import type { Claims } from '../token/claims.ts'
import type { Miss } from './explain-route.ts'

export interface Situation {
  readonly config: Config
  readonly detail: string
  /** Undefined where the request could not be read. */
  readonly facts: RequestFacts | undefined
  /** The settings of the route that denies. */
  readonly route: Config['routes'][number] | undefined
  /** Name of the user pool that the token was looked for in. */
  readonly userPool: string | undefined
  readonly claims: Claims | undefined
  readonly principal: Principal | undefined
  /** The route that lies nearest. */
  readonly nearest: Miss | undefined
  /** Why keys could not be fetched. */
  readonly keyProblem: string | undefined
}
