// What becomes of a refusal that signing in may cure: a browser that opens a page is sent to sign in, everybody else is told where.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Deny } from '../policy/decision.ts'
import { isNavigation } from '../session/navigation.ts'
import type { OwnPage } from '../session/own-page.ts'
import type { SignIn } from '../session/sign-in.ts'
import type { DenialExtras } from './denial-response.ts'

type SignIns = ReadonlyMap<string, SignIn>

/** A redirect, or the page that says why there is none; undefined where the refusal itself is the answer. */
export function challenge(
  facts: RequestFacts,
  denied: Deny,
  signIns: SignIns,
): Promise<OwnPage> | undefined {
  const signIn = signInOf(facts, denied, signIns)
  if (signIn === undefined || !isNavigation(facts)) return undefined
  return signIn.challenge(facts, denied.stepUp ?? {})
}

/** What the refusal tells beside its reason. */
export function toExtras(facts: RequestFacts, denied: Deny, signIns: SignIns): DenialExtras {
  const { retryAfterSeconds, stepUp } = denied
  const signInUrl = signInOf(facts, denied, signIns)?.urlAt(facts)
  if (signInUrl === undefined) return { retryAfterSeconds, stepUp }
  const redirect = new URL(signInUrl)
  redirect.searchParams.set('return_to', facts.target.path + facts.target.query)
  const signInRedirect = isNavigation(facts) ? redirect.href : undefined
  return { retryAfterSeconds, stepUp, signInUrl, signInRedirect }
}

/** Undefined where nobody can sign in at the host that was asked. */
function signInOf(facts: RequestFacts, denied: Deny, signIns: SignIns): SignIn | undefined {
  const signIn = denied.signIn === undefined ? undefined : signIns.get(denied.signIn)
  return signIn?.urlAt(facts) === undefined ? undefined : signIn
}
