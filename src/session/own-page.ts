// The answers of the sign-in endpoints, as values: redirects, pages and JSON. None is ever stored by a cache, framed, or the cause of
// a Referer that says more than nothing.
import { STYLE_HASH } from './page-shell.ts'

export interface OwnPage {
  readonly status: number
  /** Flat: name, value, name, value …; Set-Cookie lines too. */
  readonly headers: readonly string[]
  readonly body: string
  /** For the log. */
  readonly detail: string
}

interface Content {
  readonly status: number
  readonly detail: string
  readonly cookies?: readonly string[] | undefined
  readonly headers?: readonly string[] | undefined
}

/** Where a page may send its form: Chromium holds what the answer redirects to against it as well (CSP 3, section 6.4.2). */
const NO_FORMS = "'none'"

export function toRedirect(status: 302 | 303, location: string, content: Omit<Content, 'status'>) {
  return toOwnPage({ ...content, status }, '', ['location', location])
}

/** @param formAction source list of `form-action`; none for a page without a form */
export function toPage(content: Content, html: string, formAction: string = NO_FORMS): OwnPage {
  return toOwnPage(content, html, ['content-type', 'text/html; charset=utf-8'], formAction)
}

export function toJson(content: Content, value: unknown): OwnPage {
  return toOwnPage(content, JSON.stringify(value), ['content-type', 'application/json'])
}

/** The answer to HEAD: the same without its body (RFC 9110 section 9.3.2). */
export function withoutBody(page: OwnPage): OwnPage {
  return { ...page, body: '' }
}

function toOwnPage(
  { status, detail, cookies = [], headers = [] }: Content,
  body: string,
  fields: readonly string[],
  formAction = NO_FORMS,
): OwnPage {
  return {
    status,
    detail,
    body,
    headers: [
      ...fields,
      'content-length',
      String(Buffer.byteLength(body)),
      'cache-control',
      'no-store',
      'vary',
      'Cookie',
      // A form's Origin field is `null` under no-referrer, and it is what shows that a form is ours (Fetch Standard, "append a request Origin header").
      'referrer-policy',
      formAction === NO_FORMS ? 'no-referrer' : 'same-origin',
      'content-security-policy',
      `default-src 'none'; style-src '${STYLE_HASH}'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
      'x-content-type-options',
      'nosniff',
      ...headers,
      ...cookies.flatMap((cookie) => ['set-cookie', cookie]),
    ],
  }
}
