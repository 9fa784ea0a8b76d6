// Pieces that the pages of the managed login are put together from: frame, form, field, link. Every text in them is escaped.
import type { Answer } from '../endpoint.ts'
import { markup, type Markup, type MarkupPart } from '../../http/markup.ts'
import { FORM_POLICY, toPage } from '../page.ts'
import { PASSWORD_HINT } from '../password.ts'
import { toHref, type Visit } from './visit.ts'

export interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'email' | 'password'
  readonly autocomplete: string
  readonly hint?: string
  readonly value?: string | undefined
  /** Six digits. */
  readonly isCode?: boolean
  readonly isOptional?: boolean
}

export function toNewPasswordField(label: string): Field {
  const [type, autocomplete] = ['password', 'new-password'] as const
  return { name: 'password', label, type, autocomplete, hint: PASSWORD_HINT }
}

/** A page of the card kind. A problem is announced at once and stands in the title. */
export function toCardPage(
  title: string,
  main: Markup,
  { status = 200, problem = false } = {},
): Answer {
  const frame = markup`<header><p>Dev pool: plays Amazon Cognito on this machine</p></header>
<section>
<h1>${title}</h1>
${main}
</section>`
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    body: toPage(`${problem ? 'Error: ' : ''}${title} · dev pool`, frame, 'card'),
    headers: {
      'content-security-policy': FORM_POLICY,
      // Not no-referrer: with that, browsers send `Origin: null` with the page's own forms.
      'referrer-policy': 'same-origin',
    },
  }
}

/** The page that a visit is at, with what the last form had to say above the rest. */
export function toLoginPage(visit: Visit, title: string, main: readonly MarkupPart[]): Answer {
  const { problem, notice } = visit.browser.flash ?? {}
  const shown = markup`${problem !== undefined && markup`<div class="alert" role="alert" id="problem"><p>${problem}</p></div>`}
${notice !== undefined && markup`<div class="notice" role="status"><p>${notice}</p></div>`}
${main.map((part) => markup`${part}`)}`
  return toCardPage(title, shown, { problem: problem !== undefined })
}

/** Posts to the page itself. The field that is wrong has the focus, or the first that is empty. */
export function toForm(visit: Visit, fields: readonly Field[], button: string): Markup {
  const { flash = {} } = visit.browser
  const focused = flash.field ?? fields.find(({ value }) => !value)?.name
  return markup`<form method="post" action="${toHref(visit.path, visit.request)}">
${toFormToken(visit)}
${fields.map((field) => toField(field, flash.problem !== undefined && flash.field === field.name, field.name === focused))}
<button class="actions">${button}</button>
</form>`
}

export function toFormToken({ browser }: Visit): Markup {
  return markup`<input type="hidden" name="form_token" value="${browser.formToken}">`
}

export function toLink(visit: Visit, path: string, text: string): Markup {
  return markup`<a href="${toHref(path, visit.request)}">${text}</a>`
}

function toField(field: Field, isWrong: boolean, hasFocus: boolean): Markup {
  const { name, label, type = 'text', autocomplete, hint, value, isCode, isOptional } = field
  const about = [hint !== undefined && `${name}-hint`, isWrong && 'problem'].filter(Boolean)
  return markup`<div class="field">
<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}"${isOptional !== true && markup` required`}${value !== undefined && markup` value="${value}"`}${isCode === true && markup` class="digits" inputmode="numeric" pattern="[0-9]{6}" maxlength="6"`}${about.length > 0 && markup` aria-describedby="${about.join(' ')}"`}${isWrong && markup` aria-invalid="true"`}${hasFocus && markup` autofocus`} autocapitalize="none" spellcheck="false">
${hint !== undefined && markup`<span class="hint" id="${name}-hint">${hint}</span>`}
</div>`
}
