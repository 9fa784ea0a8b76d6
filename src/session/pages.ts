// The words of the pages that people see around signing in: what happened, why, and what to do next. Holds no secret and no token.
import { type OwnPage, toPage } from './own-page.ts'
import { type Markup, markup } from '../http/markup.ts'
import { toDocument } from './page-shell.ts'
import type { SignInFailure } from './managed-login.ts'

/** What differs between two answers with the same page. */
interface Occasion {
  readonly detail: string
  readonly cookies?: readonly string[]
}

interface Words {
  readonly status: number
  readonly title: string
  readonly content: Markup
  readonly headers?: readonly string[]
}

function toAnswer({ status, title, content, headers }: Words, occasion: Occasion): OwnPage {
  return toPage({ ...occasion, status, headers }, toDocument(title, content))
}

/** @param url may hold what a client sent; it is escaped */
function signInAgain(url: string, text = 'Sign in again'): Markup {
  return markup`<p class="actions"><a class="button" href="${url}">${text}</a></p>`
}

/** The host that the browser asked is not one that a session is configured for. */
export function unknownHostPage(authority: string): OwnPage {
  const content = markup`<p>Nobody can sign in at <code>${authority}</code>.</p>
    <p class="soft">
      For the operator: none of the configured <code>sessions</code> has an origin with this host
      and port in its <code>origins</code>. The request's <code>Host</code> is what counts; a proxy
      in front has to pass it on.
    </p>`
  const words = { status: 400, title: 'Sign-in is not set up here', content }
  return toAnswer(words, { detail: 'the host is of none of the configured origins' })
}

/** @param links name of a session → where to go for it */
export function choicePage(links: ReadonlyMap<string, string>): OwnPage {
  const items = [...links].map(([name, url]) => markup`<li><a href="${url}">${name}</a></li>`)
  const content = markup`<p>Several sessions are set up here. Which one do you mean?</p>
    <ul>
      ${items}
    </ul>`
  return toAnswer(
    { status: 400, title: 'Which session?', content },
    { detail: 'several sessions are configured for the host, and none of them was named' },
  )
}

/** The browser came back with a state that is not of one of its attempts. */
export function unknownAttemptPage(again: string, occasion: Occasion): OwnPage {
  const content = markup`<p>This sign-in cannot be finished, for one of these reasons:</p>
    <ul>
      <li>it was begun more than ten minutes ago,</li>
      <li>it was finished before: this page was reloaded, or reached with the back button,</li>
      <li>it was begun in another browser, or this one does not keep cookies.</li>
    </ul>
    ${signInAgain(again)}`
  return toAnswer({ status: 400, title: 'This sign-in has expired', content }, occasion)
}

export function failurePage(
  { failed, description }: SignInFailure,
  again: string,
  occasion: Occasion,
): OwnPage {
  const reason = markup`<blockquote>${description ?? ''}</blockquote>`
  const words = {
    declined: {
      status: 400,
      title: 'You were not signed in',
      content: markup`<p>The sign-in page sent you back without signing you in. It says:</p>
        ${reason}`,
    },
    invalid: {
      status: 400,
      title: 'You were not signed in',
      content: markup`<p>
        What came back does not belong to the sign-in that was begun here, or came too late. Nothing
        of it was used.
      </p>`,
    },
    weak: {
      status: 403,
      title: 'A stronger sign-in is needed',
      content: markup`<p>
          What you asked for needs a later or a stronger sign-in than this one was, such as one with
          a second factor.
        </p>
        <p class="soft">
          For the operator: user pools on the Lite plan ignore <code>acr_values</code> and
          <code>max_age</code>.
        </p>`,
    },
    trouble: {
      status: 502,
      title: 'Signing in does not work just now',
      content: markup`<p>
        The service that signs users in did not answer as it should. You are not signed in; please
        try again in a moment.
      </p>`,
    },
  }[failed]
  return toAnswer({ ...words, content: markup`${words.content}${signInAgain(again)}` }, occasion)
}

/** Signing in once more would end here once more. */
export function goingRoundPage(again: string, occasion: Occasion): OwnPage {
  const content = markup`<p>
      You signed in several times within a minute, and were asked to sign in once more each time. One
      of these is the reason:
    </p>
    <ul>
      <li>
        the browser does not keep the cookie: cookies are blocked for this site, or the cookie is
        too large,
      </li>
      <li>the site was opened with <code>http://</code>, where such cookies are not kept,</li>
      <li>
        the clock of this gateway or of the user pool is wrong, so that each session has ended
        before it is used,
      </li>
      <li>what you opened asks for a later or a stronger sign-in than this user pool gives.</li>
    </ul>
    <p class="soft">
      For the operator: the access log has the reason why each session was not taken.
    </p>
    ${signInAgain(again, 'Try once more')}`
  return toAnswer({ status: 400, title: 'Signing in goes round in a circle', content }, occasion)
}

export function tooLargePage(bytes: number, occasion: Occasion): OwnPage {
  const content = markup`<p>
      You were signed in, but this session is too large for the browser to keep.
    </p>
    <p class="soft">
      For the operator: sealed, the tokens of this user take ${String(bytes)} bytes. Set
      <code>store</code> of the session, so that Valkey or Redis keeps them; or let tokens carry
      fewer groups and claims.
    </p>`
  return toAnswer({ status: 500, title: 'This session cannot be kept', content }, occasion)
}

export function unavailablePage(retryAfterSeconds: number, occasion: Occasion): OwnPage {
  const content = markup`<p>
    Sessions cannot be read or kept at the moment. Please try again shortly.
  </p>`
  const headers = ['retry-after', String(retryAfterSeconds)]
  return toAnswer({ status: 503, title: 'Please try again shortly', content, headers }, occasion)
}

/** @param formAction where the answer to the form may lead */
export function signOutPage(action: string, formAction: string): OwnPage {
  const content = markup`<p>Your session here ends, and so does that of the sign-in page.</p>
    <form method="post" action="${action}">
      <p class="actions"><button class="button" type="submit">Sign out</button></p>
    </form>`
  const page = { status: 200, detail: 'the page that asks' }
  return toPage(page, toDocument('Sign out?', content), formAction)
}

export function signedOutPage(again: string): OwnPage {
  const content = markup`<p>Your session here has ended.</p>
    ${signInAgain(again)}`
  return toAnswer({ status: 200, title: 'You are signed out', content }, { detail: 'signed out' })
}

/** A form of another site, or one that does not say where it is from. */
export function foreignFormPage(signOut: string): OwnPage {
  const content = markup`<p>
      This request did not come from a page of this site, so nobody was signed out.
    </p>
    <p class="actions"><a class="button" href="${signOut}">Sign out</a></p>`
  return toAnswer(
    { status: 403, title: 'Not signed out', content },
    { detail: 'neither Sec-Fetch-Site nor Origin is our own' },
  )
}

export function methodPage(allowed: string): OwnPage {
  const content = markup`<p>This address takes ${allowed} only.</p>`
  const words = { status: 405, title: 'Not possible', content, headers: ['allow', allowed] }
  return toAnswer(words, { detail: 'the method' })
}
