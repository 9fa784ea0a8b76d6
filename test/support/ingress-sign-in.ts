// What holds of every ingress behind which browsers sign in: where they are sent, who they are then, and what of their cookies arrives
// at the service. The managed login is a stand-in.
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import type { Grant } from './fake-managed-login.ts'
import { ask, identityOf, type Outcome, type Question, valuesOf } from './ingress-client.ts'
import type { RunningRecipe } from './recipe.ts'
import { CookieJar } from './sessions.ts'

export interface SignInTraits {
  /** Whether a cookie that is renewed on the way reaches the browser. */
  readonly renewsCookies: boolean
}

const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
const FETCH = ['Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty']
const OWN = '__Host-poolgate-'
/** Of Poolgate, and no client's business: whoever reached them could try out tokens. */
const FOR_THE_INGRESS = [
  ...['/_poolgate/auth-request', '/_poolgate/forward-auth', '/_poolgate/nginx-gateway-fabric'],
  ...['/_poolgate/ext-authz/public/x', '/_poolgate/ext-authz/../sign-in'],
  ...['/_poolgate/ext-authz/public/..%2f..%2f../sign-in', '/_poolgate/sign-in/x', '/_poolgate/'],
]

export async function trySignIn(
  t: Test,
  running: RunningRecipe,
  { renewsCookies }: SignInTraits,
): Promise<void> {
  const jar = await signIn(t, running)
  await t.test('a session is who is calling', async (t) => {
    const { status, setCookies, arrived } = await browse(running, '/app/x', jar, ['Cookie: a=b'])
    t.equal(status, 200)
    t.same(setCookies, [])
    t.equal(arrived[0]?.target, '/app/x')
    t.ok(
      identityOf(arrived[0]).some(
        ([name, value]) => name === 'x-auth-username' && value === 'jane',
      ),
    )
    t.same(valuesOf(arrived[0], 'cookie'), ['a=b'])
    const alone = await browse(running, '/app/x', jar)
    t.equal(alone.status, 200)
    t.equal(valuesOf(alone.arrived[0], 'cookie').join(), '', 'nothing is left of it')
    const open = await browse(running, '/public/x', jar)
    t.equal(valuesOf(open.arrived[0], 'cookie').join(), '', 'nor on a public route')
    t.equal((await browse(running, '/orders', jar)).status, 401, 'a route without sign-in')
  })
  await t.test('a script is told, and not sent anywhere', async (t) => {
    const { status, location, arrived } = await browse(running, '/app/x', new CookieJar(), FETCH)
    t.equal(status, 401)
    t.equal(location, undefined)
    t.same(arrived, [])
  })
  await t.test('a cookie that is no session lets nobody in', async (t) => {
    for (const cookie of [`${OWN}web=1.abc`, `${OWN}web=`]) {
      for (const fields of [NAVIGATION, FETCH]) {
        const headers = [`Cookie: ${cookie}`, ...fields]
        const { status, arrived } = await browse(running, '/app/x', new CookieJar(), headers)
        t.equal(status, fields === FETCH ? 401 : 302)
        t.same(arrived, [])
      }
    }
  })
  await t.test('no client reaches what is for the ingress', async (t) => {
    for (const target of FOR_THE_INGRESS) {
      const lines = running.accessLines().length
      const { status, arrived } = await browse(running, target, jar)
      t.ok(status >= 400 || status === 302, `${target} ${status}`)
      t.same(arrived, [])
      const judged = running.accessLines().slice(lines)
      t.notOk(
        judged.some(({ decision }) => decision === 'allow'),
        target,
      )
    }
  })
  await t.test('a renewed session', (t) => tryRenewal(t, running, renewsCookies))
  await t.test('signing out ends it', async (t) => {
    const out = await browse(
      running,
      '/_poolgate/sign-out',
      jar,
      [`Origin: ${originOf(running)}`],
      'POST',
    )
    t.equal(out.status, 303)
    t.match(out.location, `${running.login.domain}/logout?`)
    const { status, arrived } = await browse(running, '/app/x', jar, FETCH)
    t.equal(status, 401)
    t.same(arrived, [])
    t.same([...new CookieJar().take(out.setCookies).cookies], [])
  })
}

async function tryRenewal(t: Test, running: RunningRecipe, renewsCookies: boolean) {
  const jar = await signIn(t, running, { access: { exp: Math.floor(Date.now() / 1000) + 50 } })
  const refreshes = () =>
    running.login.requests.filter(({ body }) => body.get('grant_type') === 'refresh_token').length
  const answer = await eventually('it is renewed', async () => {
    const one = await browse(running, '/app/x', jar)
    return one.status !== 200 || one.setCookies.length > 0 || (!renewsCookies && refreshes() > 0)
      ? one
      : false
  })
  t.equal(answer.status, 200)
  t.equal(answer.setCookies.length > 0, renewsCookies)
  const again = await browse(running, '/app/x', jar.take(answer.setCookies))
  t.equal(again.status, 200, 'it goes on')
}

/** Of a browser that opens a page, and whose user then signs in. */
async function signIn(t: Test, running: RunningRecipe, claims?: Grant): Promise<CookieJar> {
  const jar = new CookieJar()
  const { login } = running
  const page = '/app/x?y=%2F'
  let { status, location = '', setCookies, arrived } = await browse(running, page, jar, NAVIGATION)
  t.equal(status, 302)
  t.same(arrived, [])
  jar.take(setCookies)
  // Where the protocol has no redirects, the ingress makes one to Poolgate's own page.
  if (location.startsWith(originOf(running))) {
    const { pathname, search } = new URL(location)
    ;({
      status,
      location = '',
      setCookies,
    } = await browse(running, pathname + search, jar, NAVIGATION))
    t.equal(status, 302)
    jar.take(setCookies)
  }
  t.match(location, `${login.domain}/oauth2/authorize?`)
  const back = await browse(running, `/_poolgate/callback?${login.grant(location, claims)}`, jar)
  t.equal(back.status, 303)
  t.equal(back.location, `${originOf(running)}${page}`)
  return jar.take(back.setCookies)
}

interface Browsed extends Outcome {
  readonly location: string | undefined
  readonly setCookies: readonly string[]
}

/** At the origin that the recipe is written with. */
async function browse(
  running: RunningRecipe,
  target: string,
  jar: CookieJar,
  fields: readonly string[] = [],
  method: Question['method'] = 'GET',
): Promise<Browsed> {
  const [, own] = jar.headers()
  const further = fields
    .filter((field) => field.startsWith('Cookie: '))
    .map((field) => field.slice(8))
  const cookie = [...further, own].filter((one) => one !== undefined).join('; ')
  const outcome = await ask(running, {
    method,
    target,
    host: new URL(originOf(running)).host,
    fields: [
      ...fields.filter((field) => !field.startsWith('Cookie: ')),
      ...(cookie === '' ? [] : [`Cookie: ${cookie}`]),
      ...(method === 'POST' ? ['Content-Length: 0'] : []),
    ],
  })
  const [head = ''] = outcome.text.split('\r\n\r\n', 1)
  const valuesIn = (name: string) =>
    [...head.matchAll(new RegExp(`^${name}: *(.*)\\r?$`, 'gim'))].map(([, value = '']) =>
      value.trim(),
    )
  return { ...outcome, location: valuesIn('location')[0], setCookies: valuesIn('set-cookie') }
}

function originOf({ origin }: RunningRecipe): string {
  return origin.replace('127.0.0.1', 'localhost')
}
