// /oauth2/authorize: a code at once for a browser that is known, else the page to begin with. Shows no page of its own.
import { type Answer, redirectTo } from '../endpoint.ts'
import { toErrorLocation } from '../oauth/authorization-request.ts'
import { toErrorPage } from './error-page.ts'
import { PROVIDER_PATH } from './sign-in-page.ts'
import { isStepUp, proceed, toStandingLogin } from './finish-sign-in.ts'
import { toHref, type Visit } from './visit.ts'

export function answerAuthorize(visit: Visit): Answer {
  const { request } = visit
  if (request === undefined) return toErrorPage(400, 'Client does not exist.')
  const { prompts, provider } = request
  const isSilent = prompts.includes('none')
  const standing = toStandingLogin(visit)
  const isOther = provider !== undefined && provider !== (standing?.provider ?? 'COGNITO')
  const isAsked = prompts.includes('select_account') || isOther
  if (standing !== undefined && !isAsked) {
    if (!isSilent || !isStepUp(visit, standing)) return proceed(visit, standing, 302)
    return redirectTo(toErrorLocation(request, 'interaction_required', 'a code has to be given'))
  }
  if (isSilent) return redirectTo(toErrorLocation(request, 'login_required', 'nobody is signed in'))
  const isElsewhere = provider !== undefined && provider !== 'COGNITO'
  return redirectTo(toHref(isElsewhere ? PROVIDER_PATH : '/login', request))
}
