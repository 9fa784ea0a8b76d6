// /forgotPassword and /confirmForgotPassword: a code, then a new password. Looks the same for a name that nobody has.
import { createHmac } from 'node:crypto'
import { isApiError } from '../api-error.ts'
import { redirectTo } from '../endpoint.ts'
import { markup } from '../../http/markup.ts'
import { toForm, toLink, toLoginPage, toNewPasswordField } from './page-parts.ts'
import { type LoginPage, moveOn, toHref, tryAgain, type Visit } from './visit.ts'

export const FORGOT_PASSWORD_PAGE: LoginPage = {
  show(visit) {
    const value = visit.browser.flash?.values?.username
    const fields = [
      { name: 'username', label: 'Username or email', autocomplete: 'username', value },
    ] as const
    return toLoginPage(visit, 'Forgot your password?', [
      markup`<p class="note">Tell who you are, and get a code for a new one.</p>`,
      toForm(visit, fields, 'Continue'),
      markup`<p class="links">${toLink(visit, '/login', 'Back to sign in')}</p>`,
    ])
  },

  submit(visit, form) {
    const username = form.get('username') ?? ''
    // Whatever comes of it looks the same: an answer would tell who has an account.
    visit.options.accounts.forgotPassword(username)
    return moveOn(visit, '/confirmForgotPassword', { kind: 'reset', username })
  },
}

export const RESET_PASSWORD_PAGE: LoginPage = {
  show(visit) {
    const username = usernameOf(visit)
    if (username === undefined) return redirectTo(toHref('/forgotPassword', visit.request))
    const fields = [
      { name: 'code', label: 'Code', autocomplete: 'one-time-code', isCode: true },
      toNewPasswordField('New password'),
    ] as const
    return toLoginPage(visit, 'Choose a new password', [
      markup`<p class="notice">The dev pool sends no mail. If “${username}” has an account with a verified address, its code is <strong>${toCode(visit, username)}</strong></p>`,
      toForm(visit, fields, 'Change password'),
      markup`<p class="links">${toLink(visit, '/forgotPassword', 'Start again')}</p>`,
    ])
  },

  submit(visit, form) {
    const username = usernameOf(visit)
    if (username === undefined) return redirectTo(toHref('/forgotPassword', visit.request), 303)
    const [code = '', password = ''] = [form.get('code') ?? '', form.get('password') ?? '']
    const user = visit.options.accounts.confirmForgotPassword(username, code, password)
    if (isApiError(user)) {
      const field = user.type === 'InvalidPasswordException' ? 'password' : 'code'
      return tryAgain(visit, { problem: user.message, field })
    }
    const notice = 'Your password is changed. Sign in with it.'
    return moveOn(visit, '/login', undefined, { notice, values: { username } })
  },
}

function usernameOf({ browser: { pending } }: Visit): string | undefined {
  return pending?.kind === 'reset' ? pending.username : undefined
}

/** The user's, or one that is good for nothing: always the same for a name, as a real one would be. */
function toCode({ options: { codes, store }, browser }: Visit, name: string): string {
  const user = store.find(name)
  const code = user === undefined ? undefined : codes.latest(user.username)
  if (code !== undefined) return code
  const digest = createHmac('sha256', browser.formToken).update(name).digest()
  return String(digest.readUInt32BE() % 1_000_000).padStart(6, '0')
}
