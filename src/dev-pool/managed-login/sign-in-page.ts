// /login: name and password, a provider instead, or whoever has signed in here already. Wrong names and passwords look alike.
import { type ApiError, isApiError } from '../api-error.ts'
import type { Answer } from '../endpoint.ts'
import { markup, type Markup } from '../../http/markup.ts'
import type { SignInStep } from '../sign-in-steps.ts'
import { toStrength } from '../sign-in-steps.ts'
import { finishSignIn, proceed, toStandingLogin } from './finish-sign-in.ts'
import { toForm, toFormToken, toLink, toLoginPage } from './page-parts.ts'
import { PROVIDERS } from './providers.ts'
import { type LoginPage, moveOn, toHref, tryAgain, type Visit } from './visit.ts'

export const PROVIDER_PATH = '/_dev/provider'

export const SIGN_IN_PAGE: LoginPage = {
  show(visit) {
    const { browser, request } = visit
    const username = browser.flash?.values?.username ?? request?.loginHint
    const fields = [
      { name: 'username', label: 'Username or email', autocomplete: 'username', value: username },
      {
        name: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'current-password',
      },
    ] as const
    return toLoginPage(visit, 'Sign in', [
      toStandingForm(visit),
      toForm(visit, fields, 'Sign in'),
      markup`<p class="links">${toLink(visit, '/forgotPassword', 'Forgot your password?')} ${toLink(visit, '/signup', 'Create an account')}</p>`,
      request?.provider !== 'COGNITO' && toProviderLinks(visit),
    ])
  },

  submit(visit, form) {
    const standing = form.has('continue') ? toStandingLogin(visit) : undefined
    if (standing !== undefined) return proceed(visit, standing, 303)
    const username = form.get('username') ?? ''
    const step = visit.options.accounts.authenticate(username, form.get('password') ?? '')
    return takeStep(visit, step, username)
  },
}

/** Where a right password leads to, or a wrong one. */
export function takeStep(visit: Visit, step: SignInStep | ApiError, username: string): Answer {
  if (isApiError(step)) {
    if (step.type === 'UserNotConfirmedException') {
      const name = visit.options.store.find(username)?.username ?? username
      return moveOn(visit, '/confirm', { kind: 'confirm', username: name })
    }
    const flash = { problem: step.message, values: { username } }
    const isReset = step.type === 'PasswordResetRequiredException'
    return isReset ? moveOn(visit, '/forgotPassword', undefined, flash) : tryAgain(visit, flash)
  }
  if ('challenge' in step) {
    const path = step.challenge === 'SOFTWARE_TOKEN_MFA' ? '/mfa' : '/changePassword'
    return moveOn(visit, path, { kind: 'challenge', challenge: step })
  }
  return finishSignIn(visit, {
    username: step.user.username,
    signedInMs: visit.options.clock.now(),
    ...toStrength(step),
  })
}

function toStandingForm(visit: Visit): Markup | false {
  const standing = toStandingLogin(visit)
  if (standing === undefined) return false
  return markup`<form method="post" action="${toHref(visit.path, visit.request)}">
${toFormToken(visit)}
<button name="continue" value="yes">Continue as ${standing.username}</button>
</form>
<p class="or">or as somebody else</p>`
}

function toProviderLinks(visit: Visit): Markup {
  const links = PROVIDERS.map(({ name, title }) => {
    const query = new URLSearchParams(visit.request?.query)
    query.delete('idp_identifier')
    query.set('identity_provider', name)
    return markup`<a class="button second" href="${PROVIDER_PATH}?${query.toString()}">Continue with ${title}</a>`
  })
  return markup`<p class="or">or</p>
<div class="stack">${links}</div>`
}
