// /mfa: the code of an authenticator app at sign-in, and setting one up. Shows a secret to its user alone, before it counts.
import { isApiError } from '../api-error.ts'
import { type Answer, redirectTo } from '../endpoint.ts'
import { type Markup, markup } from '../../http/markup.ts'
import type { Challenge } from '../sign-in-steps.ts'
import { totpAt, toOtpauthUri } from '../totp.ts'
import type { DevUser } from '../user.ts'
import type { Login } from './browsers.ts'
import { toStrength } from '../sign-in-steps.ts'
import { findLoggedIn, finishSignIn } from './finish-sign-in.ts'
import { toForm, toLink, toLoginPage } from './page-parts.ts'
import { takeStep } from './sign-in-page.ts'
import { type LoginPage, moveOn, toHref, tryAgain, type Visit } from './visit.ts'

const CODE_FIELDS = [
  { name: 'code', label: 'Code', autocomplete: 'one-time-code', isCode: true },
] as const

export const MFA_PAGE: LoginPage = {
  show(visit) {
    const challenge = challengeOf(visit)
    if (challenge !== undefined) {
      return toLoginPage(visit, 'Enter your code', [
        markup`<p class="note">Six digits, from your authenticator app.</p>`,
        toPresentCode(visit, challenge.user.totpSecret),
        toForm(visit, CODE_FIELDS, 'Continue'),
        markup`<p class="links">${toLink(visit, '/login', 'Back to sign in')}</p>`,
      ])
    }
    const user = userOf(visit)
    if (user === undefined) return redirectTo(toHref('/login', visit.request))
    if (user.totpEnabled !== true) return showSetUp(visit, user)
    if (visit.request !== undefined) return redirectTo(toHref('/oauth2/authorize', visit.request))
    return toLoginPage(visit, 'Authenticator app', [
      markup`<p class="notice">An authenticator app is set up for ${user.username}: each sign-in asks for its code.</p>`,
    ])
  },

  submit(visit, form) {
    const code = form.get('code') ?? ''
    const challenge = challengeOf(visit)
    if (challenge !== undefined) return answerChallenge(visit, challenge, code)
    const [user, { login }] = [userOf(visit), visit.browser]
    if (user === undefined || login === undefined) {
      return redirectTo(toHref('/login', visit.request), 303)
    }
    return finishSetUp(visit, user, login, code)
  },
}

function answerChallenge(visit: Visit, { session, user }: Challenge, code: string): Answer {
  const step = visit.options.accounts.answerTotp(session, user.username, code)
  if (!isApiError(step)) return takeStep(visit, step, user.username)
  if (step.type === 'CodeMismatchException') {
    return tryAgain(visit, { problem: step.message, field: 'code' })
  }
  return moveOn(visit, '/login', undefined, { problem: step.message })
}

function showSetUp(visit: Visit, user: DevUser): Answer {
  const { accounts, browsers } = visit.options
  const { pending, flash } = visit.browser
  const secret =
    pending?.kind === 'totp-set-up' ? pending.secret : accounts.beginTotp(user.username)
  browsers.update(visit.browser, { pending: { kind: 'totp-set-up', secret } })
  const uri = toOtpauthUri(secret, user.username, 'Poolgate dev pool')
  const shown = { ...visit, browser: { ...visit.browser, flash } }
  return toLoginPage(shown, 'Set up an authenticator app', [
    markup`<p>Add this secret to your authenticator app, then enter the code that it shows.</p>
<p class="secret"><code id="secret">${secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
<p><a href="${uri}">Open in an authenticator app</a></p>
<p class="secret"><code id="otpauth">${uri}</code></p>`,
    toPresentCode(shown, secret),
    toForm(shown, CODE_FIELDS, 'Switch it on'),
  ])
}

/** For people without a phone at hand: a dev pool keeps nothing from them. */
function toPresentCode({ options }: Visit, secret: string | undefined): Markup | undefined {
  if (secret === undefined) return undefined
  return markup`<p class="notice">In the dev pool no phone is needed: an app would show <strong>${totpAt(secret, options.clock.now())}</strong> now</p>`
}

/** A code that is right makes the present sign-in as strong as one with a code. */
function finishSetUp(visit: Visit, user: DevUser, login: Login, code: string): Answer {
  const { accounts } = visit.options
  const done = accounts.confirmTotp(user, code, true)
  if (isApiError(done)) {
    return tryAgain(visit, { problem: 'That code is not right, please try again.', field: 'code' })
  }
  return finishSignIn(visit, { ...login, ...toStrength({ usedTotp: true }) })
}

function challengeOf({ browser: { pending } }: Visit): Challenge | undefined {
  const challenge = pending?.kind === 'challenge' ? pending.challenge : undefined
  return challenge?.challenge === 'SOFTWARE_TOKEN_MFA' ? challenge : undefined
}

/** Who has signed in with a password of the pool; a provider's users have their second step there. */
function userOf(visit: Visit): DevUser | undefined {
  return visit.browser.login?.provider === undefined ? findLoggedIn(visit) : undefined
}
