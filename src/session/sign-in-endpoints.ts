// The paths of Poolgate that browsers sign in, out and look at themselves with. Nothing here trusts more of a request than its Host
// and its own sealed cookies, and no answer holds a token.
import type { RequestFacts } from '../http/request-facts.ts'
import { singleValue } from '../http/headers.ts'
import { type OwnPage, toJson, toRedirect, withoutBody } from './own-page.ts'
import {
  choicePage,
  foreignFormPage,
  methodPage,
  signedOutPage,
  unavailablePage,
  unknownAttemptPage,
  unknownHostPage,
} from './pages.ts'
import type { Session } from './session.ts'
import type { SignIn, SignInHint } from './sign-in.ts'

/** Undefined: not one of ours. */
export type SignInEndpoints = (facts: RequestFacts) => Promise<OwnPage> | undefined

type Endpoint = (facts: RequestFacts, parameters: URLSearchParams) => Promise<OwnPage> | OwnPage

const PAGES = ['sign-in', 'sign-up', 'callback', 'sign-out', 'signed-out', 'session'] as const
type PageName = (typeof PAGES)[number]

const PROMPTS = ['login', 'select_account', 'consent', 'none']

export function createSignInEndpoints(
  signIns: ReadonlyMap<string, SignIn>,
  pathPrefix: string,
): SignInEndpoints {
  /** Does something for the one session that is meant: the only one at the host, or the one that is named; or asks which. */
  const forOne =
    (
      run: (signIn: SignIn, facts: RequestFacts, parameters: URLSearchParams) => Promise<OwnPage>,
      ask: (
        facts: RequestFacts,
        parameters: URLSearchParams,
        names: string[],
      ) => OwnPage = askWhich,
    ): Endpoint =>
    (facts, parameters) => {
      const here = [...signIns.values()].filter((one) => one.urlAt(facts) !== undefined)
      const [only] = here
      if (only === undefined) return unknownHostPage(facts.host.authority)
      const named = parameters.get('session')
      const meant =
        here.length === 1 && named === null ? only : here.find(({ name }) => name === named)
      if (meant !== undefined) return run(meant, facts, parameters)
      return ask(
        facts,
        parameters,
        here.map(({ name }) => name),
      )
    }

  const callback: Endpoint = async (facts, parameters) => {
    const isSound = parameters.getAll('state').length === 1
    for (const signIn of isSound ? signIns.values() : []) {
      const page = await signIn.complete(facts, parameters)
      if (page !== undefined) return page
    }
    return unknownAttemptPage(`${pathPrefix}/sign-in`, {
      detail: 'the state is of no attempt of this browser',
    })
  }

  const signOut = forOne(async (signIn, facts) => {
    if (facts.method !== 'POST') return signIn.askSignOut()
    return isOwnForm(signIn, facts) ? signIn.signOut(facts) : foreignFormPage(facts.target.path)
  })

  const pages: Record<PageName, { readonly run: Endpoint; readonly methods: string }> = {
    'sign-in': { run: forOne((...question) => enter(false, ...question)), methods: 'GET, HEAD' },
    'sign-up': { run: forOne((...question) => enter(true, ...question)), methods: 'GET, HEAD' },
    // A HEAD would use the attempt up.
    callback: { run: callback, methods: 'GET' },
    'sign-out': { run: signOut, methods: 'GET, HEAD, POST' },
    'signed-out': { run: () => signedOutPage(`${pathPrefix}/sign-in`), methods: 'GET, HEAD' },
    session: { run: forOne(describe, listSessions), methods: 'GET, HEAD' },
  }

  async function answer(run: Endpoint, facts: RequestFacts): Promise<OwnPage> {
    const page = await run(facts, new URLSearchParams(facts.target.query))
    return facts.method === 'HEAD' ? withoutBody(page) : page
  }

  return (facts) => {
    // Where nobody signs in there are no such pages.
    const name = signIns.size === 0 ? undefined : toPageName(facts, pathPrefix)
    if (name === undefined) return undefined
    const { run, methods } = pages[name]
    return methods.split(', ').includes(facts.method)
      ? answer(run, facts)
      : Promise.resolve(methodPage(methods))
  }
}

/** The page that a target asks for, where there are such pages. */
export function toPageName(
  { target }: Pick<RequestFacts, 'target'>,
  pathPrefix: string,
): PageName | undefined {
  return PAGES.find((name) => target.path === `${pathPrefix}/${name}`)
}

function askWhich(facts: RequestFacts, parameters: URLSearchParams, names: string[]): OwnPage {
  const links = names.map((name): [string, string] => {
    const query = new URLSearchParams(parameters)
    query.set('session', name)
    return [name, `${facts.target.path}?${query}`]
  })
  return choicePage(new Map(links))
}

/** The same for a page's script. */
function listSessions(_: RequestFacts, __: URLSearchParams, sessions: string[]): OwnPage {
  const detail = 'several sessions are configured for the host, and none of them was named'
  return toJson({ status: 400, detail }, { error: 'bad_request', sessions })
}

/** To the managed login; or on at once, where a browser has signed in and asks for nothing in particular. */
async function enter(
  signUp: boolean,
  signIn: SignIn,
  facts: RequestFacts,
  parameters: URLSearchParams,
): Promise<OwnPage> {
  const asked = toHint(parameters, signIn.acrValues)
  const found = await signIn.find(facts)
  if (found.kind === 'unavailable') {
    return unavailablePage(found.retryAfterSeconds, { detail: found.detail })
  }
  const returnTo = signIn.returnTo(facts, parameters.get('return_to') ?? undefined) as string
  if (found.kind === 'session' && Object.values(asked).every((value) => value === undefined)) {
    const { cookies } = found
    return toRedirect(302, returnTo, { detail: 'signed in already', cookies })
  }
  const page = await signIn.challenge(facts, { ...asked, returnTo, signUp })
  const cookies = found.kind === 'none' ? [] : found.cookies
  return { ...page, headers: [...page.headers, ...cookies.flatMap((line) => ['set-cookie', line])] }
}

/** @param own what every sign-in has to prove: nobody asks for less by way of the URL */
function toHint(
  parameters: URLSearchParams,
  own: readonly string[] | undefined,
): Omit<SignInHint, 'returnTo' | 'signUp'> {
  const text = (name: string) => parameters.get(name) ?? undefined
  const asked = text('acr_values')?.split(' ') ?? []
  const fit = asked.filter((value) => own === undefined || own.includes(value))
  const acrValues = fit.length === 0 ? undefined : fit
  const maxAge = text('max_age')
  const prompt = text('prompt')
  return {
    provider: text('provider'),
    loginHint: text('login_hint'),
    prompt: prompt !== undefined && PROMPTS.includes(prompt) ? prompt : undefined,
    acrValues,
    maxAgeSeconds: maxAge !== undefined && /^\d{1,8}$/.test(maxAge) ? Number(maxAge) : undefined,
  }
}

/** Whether a page of ours sent the form: the browser says so itself, or names an origin of ours (cross-site request forgery). */
function isOwnForm(signIn: SignIn, { headers }: RequestFacts): boolean {
  if (singleValue(headers, 'sec-fetch-site') === 'same-origin') return true
  const origin = singleValue(headers, 'origin')
  return typeof origin === 'string' && signIn.isOwnOrigin(origin)
}

/** Who has signed in, for a page's script. */
async function describe(signIn: SignIn, facts: RequestFacts): Promise<OwnPage> {
  const found = await signIn.find(facts)
  if (found.kind === 'unavailable') {
    const headers = ['retry-after', String(found.retryAfterSeconds)]
    return toJson({ status: 503, detail: found.detail, headers }, { error: 'unavailable' })
  }
  const cookies = found.kind === 'none' ? [] : found.cookies
  const described =
    found.kind === 'session' ? await toDescription(signIn, found.session) : undefined
  if (described !== undefined)
    return toJson({ status: 200, detail: 'signed in', cookies }, described)
  const detail = found.kind === 'ended' ? found.detail : 'no session'
  return toJson(
    { status: 401, detail, cookies },
    { signed_in: false, sign_in: signIn.urlAt(facts) },
  )
}

async function toDescription(signIn: SignIn, session: Session): Promise<object | undefined> {
  const claims = await signIn.claimsOf(session)
  if (claims === undefined) return undefined
  return {
    signed_in: true,
    session: signIn.name,
    subject: session.subject,
    username: claims['cognito:username'] ?? claims.username,
    email: claims.email,
    groups: claims['cognito:groups'] ?? [],
    expires_at: toDate(session.tokensEndMs),
    session_ends_at: toDate(session.endsMs),
  }
}

function toDate(ms: number): string {
  return new Date(ms).toISOString()
}
