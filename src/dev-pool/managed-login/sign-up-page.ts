// /signup and /confirm: a new account, and the code that would go out by e-mail. The code stands on the page: nothing is sent.
import { isApiError } from '../api-error.ts'
import { parseAttributes } from '../attributes.ts'
import { redirectTo } from '../endpoint.ts'
import { markup } from '../../http/markup.ts'
import { toStrength } from '../sign-in-steps.ts'
import type { DevUser } from '../user.ts'
import { finishSignIn } from './finish-sign-in.ts'
import { toForm, toFormToken, toLink, toLoginPage, toNewPasswordField } from './page-parts.ts'
import { type LoginPage, moveOn, toHref, tryAgain, type Visit } from './visit.ts'

export const SIGN_UP_PAGE: LoginPage = {
  show(visit) {
    const { username, email } = visit.browser.flash?.values ?? {}
    const fields = [
      { name: 'username', label: 'Username', autocomplete: 'username', value: username },
      { name: 'email', label: 'Email', type: 'email', autocomplete: 'email', value: email },
      toNewPasswordField('Password'),
    ] as const
    return toLoginPage(visit, 'Create an account', [
      toForm(visit, fields, 'Sign up'),
      markup`<p class="links"><span>Have an account? ${toLink(visit, '/login', 'Sign in')}</span></p>`,
    ])
  },

  submit(visit, form) {
    const [username = '', email = '', password = ''] = ['username', 'email', 'password'].map(
      (name) => form.get(name) ?? '',
    )
    const attributes = parseAttributes([['email', email]])
    const user = isApiError(attributes)
      ? attributes
      : visit.options.accounts.signUp(username, password, attributes)
    if (!isApiError(user)) {
      const signedUpMs = user.createdMs
      return moveOn(visit, '/confirm', { kind: 'confirm', username, signedUpMs })
    }
    const values = { username, email }
    return tryAgain(visit, {
      problem: user.message,
      field: fieldOf(user.type, user.message),
      values,
    })
  },
}

function fieldOf(type: string, message: string): string {
  if (type === 'InvalidPasswordException') return 'password'
  return /email/i.test(message) ? 'email' : 'username'
}

export const CONFIRM_PAGE: LoginPage = {
  show(visit) {
    const username = usernameOf(visit)
    if (username === undefined) return redirectTo(toHref('/login', visit.request))
    const code = visit.options.codes.latest(username)
    const fields = [
      { name: 'code', label: 'Code', autocomplete: 'one-time-code', isCode: true },
    ] as const
    return toLoginPage(visit, 'Confirm your account', [
      code === undefined
        ? markup`<p class="notice">The code has ended. Ask for another one below.</p>`
        : markup`<p class="notice">The dev pool sends no mail: your code is <strong>${code}</strong></p>`,
      toForm(visit, fields, 'Confirm'),
      markup`<form method="post" action="${toHref(visit.path, visit.request)}">
${toFormToken(visit)}
<button class="second" name="resend" value="yes">Make another code</button>
</form>
<p class="links">${toLink(visit, '/login', 'Back to sign in')}</p>`,
    ])
  },

  submit(visit, form) {
    const username = usernameOf(visit)
    if (username === undefined) return redirectTo(toHref('/login', visit.request), 303)
    const { accounts } = visit.options
    if (form.has('resend')) {
      const sent = accounts.resendCode(username)
      return tryAgain(visit, isApiError(sent) ? { problem: sent.message } : {})
    }
    const user = accounts.confirmSignUp(username, form.get('code') ?? '')
    if (isApiError(user)) return tryAgain(visit, { problem: user.message, field: 'code' })
    if (isOwnSignUp(visit, user)) {
      const signedInMs = visit.options.clock.now()
      return finishSignIn(visit, { username, signedInMs, ...toStrength({ usedTotp: false }) })
    }
    const notice = 'Your account is confirmed. Sign in with it.'
    return moveOn(visit, '/login', undefined, { notice, values: { username } })
  },
}

/** Who chose the password here need not show it again; whoever only knows the name, or came before, has to. */
function isOwnSignUp({ browser: { pending } }: Visit, user: DevUser): boolean {
  return pending?.kind === 'confirm' && pending.signedUpMs === user.createdMs
}

function usernameOf({ browser: { pending } }: Visit): string | undefined {
  return pending?.kind === 'confirm' ? pending.username : undefined
}
