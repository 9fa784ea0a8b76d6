// The caller's ID token, where the route's upstream needs it: which one it would be, and what is wrong with it. It decides nothing.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Route } from '../policy/decision.ts'
import { besideBearer, findStranger, NO_ID_TOKEN, TWO_ID_TOKENS } from '../policy/login.ts'
import type { Principal } from '../policy/principal.ts'
import { explainToken, type TokenPorts } from './explain-token.ts'
import { type Step, toCheck, toOk } from './step.ts'

/** @param about behind the title, where there are several routes */
export function explainLogin(
  { loginKey }: Route,
  principal: Principal | undefined,
  { headers }: RequestFacts,
  ports: TokenPorts,
  about: string,
): Step[] {
  if (loginKey === undefined || principal === undefined) return []
  const title = `ID token${about}`
  if (principal.tokenUse === 'id') {
    return [{ title, checks: [toOk('ID token', 'the token itself')] }]
  }
  const beside = besideBearer(headers)
  if (typeof beside === 'string') return [{ title, checks: [toCheck('ID token', TWO_ID_TOKENS)] }]
  const { idToken } = beside
  if (idToken === undefined) return [{ title, checks: [toCheck('ID token', NO_ID_TOKEN)] }]
  const { userPool } = principal
  const { checks, claims } = explainToken(idToken, { userPool, tokenUse: 'id' }, ports)
  const subject = typeof claims?.sub === 'string' ? claims.sub : ''
  return [{ title, checks: [...checks, toCheck('user', findStranger(principal.subject, subject))] }]
}
