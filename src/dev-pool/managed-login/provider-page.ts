// Where a real pool would send the browser away: a page that plays the provider, marked as such, with accounts to choose from.
import { isApiError } from '../api-error.ts'
import { parseAttributes } from '../attributes.ts'
import { type Answer, redirectTo } from '../endpoint.ts'
import { markup, type Markup } from '../../http/markup.ts'
import { type AuthorizationRequest, toErrorLocation } from '../oauth/authorization-request.ts'
import { saveFederatedUser } from './federated-user.ts'
import { finishSignIn } from './finish-sign-in.ts'
import { toForm, toFormToken, toLink, toLoginPage } from './page-parts.ts'
import { type Provider, type ProviderAccount, PROVIDERS } from './providers.ts'
import { type LoginPage, toHref, tryAgain, type Visit } from './visit.ts'

export const PROVIDER_PAGE: LoginPage = {
  show(visit) {
    const provider = providerOf(visit)
    if (provider === undefined) return redirectTo(toHref('/login', visit.request))
    const values = visit.browser.flash?.values
    const fields = [
      { name: 'email', label: 'Email', type: 'email', autocomplete: 'off', value: values?.email },
      { name: 'name', label: 'Name', autocomplete: 'off', value: values?.name },
    ] as const
    return toLoginPage(visit, `Simulated ${provider.title}`, [
      markup`<p class="banner">Not ${provider.title}: the dev pool plays it. No password is asked for.</p>`,
      toAccountForm(visit, provider),
      markup`<p class="or">or as anybody</p>`,
      toForm(visit, fields, 'Continue'),
      toCancelForm(visit),
      markup`<p class="links">${toLink(visit, '/login', 'Sign in another way')}</p>`,
    ])
  },

  submit(visit, form) {
    const { request } = visit
    const provider = providerOf(visit)
    if (request === undefined || provider === undefined) {
      return redirectTo(toHref('/login', request), 303)
    }
    if (form.has('cancel')) return deny(request, 'The user cancelled.')
    const account = readAccount(provider, form)
    if (typeof account === 'string') {
      const values = { email: form.get('email') ?? '', name: form.get('name') ?? '' }
      return tryAgain(visit, { problem: account, field: 'email', values })
    }
    const user = saveFederatedUser(visit.options, provider, account)
    if (user === undefined) return deny(request, 'Already found an entry for that username.')
    if (!user.enabled) return deny(request, 'User is not enabled.')
    return finishSignIn(visit, {
      username: user.username,
      signedInMs: visit.options.clock.now(),
      amr: ['fed'],
      provider: provider.name,
    })
  },
}

function providerOf({ request }: Visit): Provider | undefined {
  return PROVIDERS.find(({ name }) => name === request?.provider)
}

/** A text says what is wrong. */
function readAccount(provider: Provider, form: URLSearchParams): ProviderAccount | string {
  const ready = provider.accounts.find(({ email }) => email === form.get('account'))
  if (ready !== undefined) return ready
  const email = (form.get('email') ?? '').trim().toLowerCase()
  const name = (form.get('name') ?? '').trim()
  const attributes = parseAttributes([
    ['email', email],
    ['name', name],
  ])
  if (isApiError(attributes)) return attributes.message
  if (name === '') return 'A name is required.'
  const isShort = `${provider.name}_${provider.toUserId(email)}`.length <= 128
  return isShort ? { email, name } : 'The email address is too long.'
}

function deny(request: AuthorizationRequest, why: string): Answer {
  return redirectTo(toErrorLocation(request, 'access_denied', why), 303)
}

function toAccountForm(visit: Visit, { accounts }: Provider): Markup {
  const buttons = accounts.map(
    ({ email, name, groups = [] }) =>
      markup`<button class="second account" name="account" value="${email}">${name}<span>${[email, ...groups].join(' · ')}</span></button>`,
  )
  return markup`<form method="post" action="${toHref(visit.path, visit.request)}">
${toFormToken(visit)}
<div class="stack">${buttons}</div>
</form>`
}

function toCancelForm(visit: Visit): Markup {
  return markup`<form method="post" action="${toHref(visit.path, visit.request)}">
${toFormToken(visit)}
<button class="second" name="cancel" value="yes">Cancel</button>
</form>`
}
