// What signing in has to do with a request: whether it asks for one of Poolgate's own pages, and whether its browser is sent to sign in.
// Starts no sign-in.
import type { Config } from '../config/schema.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Deny } from '../policy/decision.ts'
import { isNavigation } from '../session/navigation.ts'
import { compileOrigins } from '../session/own-origin.ts'
import { toPageName } from '../session/sign-in-endpoints.ts'

/** Whatever its method, and whether it has what the page needs. */
export function isOwnPage({ sessions, pathPrefix }: Config, facts: RequestFacts): boolean {
  if (Object.keys(sessions).length === 0) return false
  return toPageName(facts, pathPrefix) !== undefined
}

/** Whether the answer is a redirect, or the page that says why it is none. */
export function isSentToSignIn(
  config: Config,
  { signIn }: Deny,
  facts: RequestFacts | undefined,
): boolean {
  if (signIn === undefined || facts === undefined) return false
  return signInOriginAt(config, signIn, facts) !== undefined && isNavigation(facts)
}

/** As a browser sees it; undefined where nobody can sign in at the host that was asked. */
export function signInOriginAt(
  { sessions }: Config,
  name: string,
  facts: RequestFacts,
): string | undefined {
  return compileOrigins(sessions[name]?.origins ?? [])(facts)
}
