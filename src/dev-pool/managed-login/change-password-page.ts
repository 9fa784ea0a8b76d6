// /changePassword: for a user whose password an operator has set, before the first sign-in is done.
import { isApiError } from '../api-error.ts'
import { redirectTo } from '../endpoint.ts'
import { markup } from '../../http/markup.ts'
import type { Challenge } from '../sign-in-steps.ts'
import { toForm, toLoginPage, toNewPasswordField } from './page-parts.ts'
import { takeStep } from './sign-in-page.ts'
import { type LoginPage, moveOn, toHref, tryAgain, type Visit } from './visit.ts'

export const CHANGE_PASSWORD_PAGE: LoginPage = {
  show(visit) {
    if (challengeOf(visit) === undefined) return redirectTo(toHref('/login', visit.request))
    const fields = [toNewPasswordField('New password')] as const
    return toLoginPage(visit, 'Choose a password', [
      markup`<p class="note">Somebody else has set your password. Choose one that only you know.</p>`,
      toForm(visit, fields, 'Continue'),
    ])
  },

  submit(visit, form) {
    const challenge = challengeOf(visit)
    if (challenge === undefined) return redirectTo(toHref('/login', visit.request), 303)
    const { username } = challenge.user
    const password = form.get('password') ?? ''
    const { accounts } = visit.options
    const step = accounts.answerNewPassword(challenge.session, username, password, {})
    if (!isApiError(step)) return takeStep(visit, step, username)
    if (step.type === 'InvalidPasswordException') {
      return tryAgain(visit, { problem: step.message, field: 'password' })
    }
    return moveOn(visit, '/login', undefined, { problem: step.message })
  },
}

function challengeOf({ browser: { pending } }: Visit): Challenge | undefined {
  const challenge = pending?.kind === 'challenge' ? pending.challenge : undefined
  return challenge?.challenge === 'NEW_PASSWORD_REQUIRED' ? challenge : undefined
}
