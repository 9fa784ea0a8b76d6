// Section B of the attacks, against the whole of sign-in: a browser, the endpoints, and a managed login that may be hostile.
import t from 'tap'
import { isNavigation } from '../../src/session/navigation.ts'
import { fieldsOf, locationOf, ORIGIN, setStage, toFacts } from '../support/sign-in-stage.ts'

const EVIL = `"><script>alert(document.cookie)</script>`

t.test('B-01: return_to takes nobody to another site, in whatever way it is written', async (t) => {
  const { login, ...stage } = await setStage(t)
  for (const place of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https:evil.example',
    '%2f%2fevil.example',
    `${ORIGIN}@evil.example/`,
    `${ORIGIN}.evil.example/`,
    '/a\r\nLocation: https://evil.example',
  ]) {
    const browser = stage.browser()
    const query = new URLSearchParams({ return_to: place })
    const page = await browser.go(`/_poolgate/sign-in?${query}`)
    const answer = login.grant(locationOf(page).href)
    const back = await browser.go(`/_poolgate/callback?${answer}`)
    t.same(fieldsOf(back, 'location'), [`${ORIGIN}/`], JSON.stringify(place))
    const again = await browser.go(`/_poolgate/sign-in?${query}`)
    t.same(fieldsOf(again, 'location'), [`${ORIGIN}/`], 'nor whoever has signed in')
  }
})

t.test('B-02: no field that a client sends changes where it is sent', async (t) => {
  const { signIn } = await setStage(t)
  const headers = [
    ...['X-Forwarded-Host', 'evil.example', 'X-Forwarded-Proto', 'http'],
    ...['X-Forwarded-Prefix', '//evil.example', 'X-Forwarded-Port', '1', 'X-Original-URL', '//e'],
    ...['Forwarded', 'host=evil.example', 'Referer', 'https://evil.example/', 'Origin', 'null'],
  ]
  const page = await signIn.challenge(toFacts('/a', { headers }), {})
  t.notMatch(JSON.stringify(page), 'evil')
  t.equal(locationOf(page).searchParams.get('redirect_uri'), `${ORIGIN}/_poolgate/callback`)
})

t.test('B-03: a state that is missing, wrong, expired or another browser’s is 400', async (t) => {
  const { approach, kept, clock, login, ...stage } = await setStage(t)
  const browser = stage.browser()
  const good = await approach(browser)
  const code = good.get('code') ?? ''
  const state = good.get('state') ?? ''
  const guess = `${state.slice(0, -22)}${'A'.repeat(22)}`
  for (const query of ['', `code=${code}`, `code=${code}&state=`, `code=${code}&state=${guess}`]) {
    const page = await browser.go(`/_poolgate/callback?${query}`)
    t.equal(page.status, 400, query)
    t.match(page.body, 'href="/_poolgate/sign-in"')
  }
  t.equal((await browser.go(`/_poolgate/callback?${good}&state=${state}`)).status, 400, 'twice')
  t.equal((await stage.browser().go(`/_poolgate/callback?${good}`)).status, 400, 'another browser')
  await clock.advance(600_000)
  t.equal((await browser.go(`/_poolgate/callback?${good}`)).status, 400, 'expired')
  t.same(login.requests, [], 'no code was ever redeemed')
  t.equal(kept.sessions.size, 0)
})

t.test('B-03, B-18: nobody signs another browser in as himself (login CSRF)', async (t) => {
  const { approach, kept, ...stage } = await setStage(t)
  const attackers = await approach(stage.browser())
  const victim = stage.browser()
  await approach(victim)
  t.equal((await victim.go(`/_poolgate/callback?${attackers}`)).status, 400)
  t.equal(kept.sessions.size, 0)
})

t.test('B-04: the verifier is of S256, is never seen, and belongs to one attempt', async (t) => {
  const { approach, login, ...stage } = await setStage(t)
  const browser = stage.browser()
  const first = await approach(browser)
  const second = await approach(browser)
  first.set('code', second.get('code') ?? '')
  t.equal(
    (await browser.go(`/_poolgate/callback?${first}`)).status,
    400,
    'a code of another attempt',
  )
  const page = await stage.browser().go('/_poolgate/sign-in')
  t.equal(locationOf(page).searchParams.get('code_challenge_method'), 'S256')
  const verifier = login.requests[0]?.body.get('code_verifier') ?? ''
  t.equal(verifier.length, 43)
  t.notMatch(JSON.stringify(page), verifier)
})

t.test(
  'B-05: an ID token of another attempt, or beside another access token, is 400',
  async (t) => {
    const { enter, ...stage } = await setStage(t)
    t.equal((await enter(stage.browser(), { id: { nonce: 'x' } })).status, 400)
    t.equal((await enter(stage.browser(), { id: { nonce: undefined } })).status, 400)
    t.equal((await enter(stage.browser(), { id: { at_hash: 'x' } })).status, 400)
  },
)

t.test('B-06: tokens and errors in the query sign nobody in', async (t) => {
  const { approach, kept, issuer, login, ...stage } = await setStage(t)
  for (const extra of [
    `access_token=${issuer.access()}`,
    `id_token=${issuer.id()}`,
    `refresh_token=x`,
    'error=access_denied',
    'code=another',
  ]) {
    const browser = stage.browser()
    const answer = await approach(browser)
    const [name = ''] = extra.split('=')
    t.equal((await browser.go(`/_poolgate/callback?${answer}&${extra}`)).status, 400, name)
    answer.delete('code')
    t.equal(
      (await browser.go(`/_poolgate/callback?${answer}&${extra}`)).status,
      400,
      `${name} alone`,
    )
  }
  t.same(login.requests, [])
  t.equal(kept.sessions.size, 0)
})

t.test(
  'B-07: a token endpoint that fails, floods or cheats gives a 502 page and no session',
  async (t) => {
    const { enter, login, kept, clock, ...stage } = await setStage(t)
    const json = { 'content-type': 'application/json' }
    for (const [what, answer] of Object.entries<NonNullable<typeof login.instead>>({
      '500': (response) => response.writeHead(500).end(EVIL),
      '5 MB': (response) => response.writeHead(200, json).end(Buffer.alloc(5_000_000, ' ')),
      HTML: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(EVIL),
      silence: () => void clock.advance(5_000),
    })) {
      login.instead = answer
      const page = await enter(stage.browser())
      t.equal(page.status, 502, what)
      t.notMatch(page.body, 'script', what)
    }
    login.instead = undefined
    for (const claims of [
      { access: { token_use: 'id' } },
      { id: { token_use: 'access' } },
      { access: { client_id: 'another' } },
      { id: { aud: 'another' } },
      { access: { iss: 'https://evil.example' } },
      { access: { 'cognito:groups': ['admins'], sub: 'somebody else' } },
    ]) {
      t.equal((await enter(stage.browser(), claims)).status, 502, JSON.stringify(claims))
    }
    t.equal(kept.sessions.size, 0)
  },
)

t.test(
  'B-08: every cookie is __Host-, Secure, HttpOnly and Lax; an ended session is cleared on the way',
  async (t) => {
    const { enter, ...stage } = await setStage(t)
    const browser = stage.browser()
    browser.cookies.set('__Host-poolgate-main', '1.planted')
    const toLogin = await browser.go('/_poolgate/sign-in')
    t.ok(
      fieldsOf(toLogin, 'set-cookie').some((line) =>
        line.startsWith('__Host-poolgate-main=; Max-Age=0'),
      ),
    )
    const back = await enter(browser)
    for (const page of [toLogin, back]) {
      for (const line of fieldsOf(page, 'set-cookie')) {
        t.match(
          line,
          /^__Host-[\w.-]+=[^;]*; Max-Age=\d+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
        )
      }
    }
  },
)

t.test('B-12, B-21: no answer may be stored, tells a Referer, or holds a token', async (t) => {
  const { approach, kept, ...stage } = await setStage(t)
  const browser = stage.browser()
  const answer = await approach(browser)
  const pages = [await browser.go(`/_poolgate/callback?${answer}`)]
  const [session] = [...kept.sessions.values()]
  for (const path of [
    'session',
    'sign-in',
    'sign-up?provider=x',
    'sign-out',
    'signed-out',
    'callback',
  ]) {
    pages.push(await browser.go(`/_poolgate/${path}`))
  }
  for (const page of pages) {
    t.same(fieldsOf(page, 'cache-control'), ['no-store'])
    t.same(fieldsOf(page, 'vary'), ['Cookie'])
    t.match(fieldsOf(page, 'referrer-policy')[0], /^(no-referrer|same-origin)$/)
    t.match(
      fieldsOf(page, 'content-security-policy')[0],
      /^default-src 'none';.*frame-ancestors 'none'$/,
    )
    for (const token of Object.values(session?.tokens ?? {})) {
      t.notOk(JSON.stringify(page).includes(token ?? '-'), 'no token')
    }
  }
})

t.test('B-17, B-18: only a top-level GET navigation is sent to sign in', async (t) => {
  const html = ['Accept', 'text/html']
  t.ok(
    isNavigation(
      toFacts('/', { headers: ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document'] }),
    ),
  )
  t.notOk(isNavigation(toFacts('/', { headers: ['Sec-Fetch-Mode', 'cors', ...html] })))
  t.notOk(isNavigation(toFacts('/', { headers: ['X-Requested-With', 'XMLHttpRequest', ...html] })))
  t.notOk(isNavigation(toFacts('/', { method: 'POST', headers: html })))
})

t.test('B-19: another site’s form, or one of no known origin, signs nobody out', async (t) => {
  const { enter, kept, login, ...stage } = await setStage(t)
  const browser = stage.browser()
  await enter(browser)
  for (const headers of [
    [],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Site', 'same-site'],
    ['Sec-Fetch-Site', 'none'],
    ['Sec-Fetch-Site', 'same-origin', 'Sec-Fetch-Site', 'same-origin'],
    ['Sec-Fetch-Site', 'cross-site', 'Origin', 'https://evil.example'],
    ['Origin', 'null'],
    ['Origin', `${ORIGIN}.evil.example`],
    ['Origin', 'http://app.example.com'],
    ['Referer', `${ORIGIN}/`],
  ]) {
    const page = await browser.go('/_poolgate/sign-out', { method: 'POST', headers })
    t.equal(page.status, 403, headers.join(' '))
    t.same(fieldsOf(page, 'set-cookie'), [])
  }
  t.equal((await browser.go('/_poolgate/sign-out')).status, 200, 'a GET only asks')
  t.equal(kept.sessions.size, 1)
  t.notOk(login.requests.some(({ path }) => path === '/oauth2/revoke'))
  const own = await browser.go('/_poolgate/sign-out', {
    method: 'POST',
    headers: ['Origin', ORIGIN],
  })
  t.equal(own.status, 303)
  t.equal(kept.sessions.size, 0)
})

t.test('B-20: what the managed login or a link says is shown as text, or not at all', async (t) => {
  const { approach, ...stage } = await setStage(t)
  const browser = stage.browser()
  const answer = await approach(browser)
  answer.delete('code')
  answer.set('error', EVIL)
  answer.set('error_description', EVIL)
  const told = await browser.go(`/_poolgate/callback?${answer}`)
  t.match(told.body, '&quot;&gt;&lt;script&gt;alert(document.cookie)&lt;/script&gt;')
  const query = new URLSearchParams({ state: EVIL, error: EVIL, error_description: EVIL })
  const untold = await stage.browser().go(`/_poolgate/callback?${query}`)
  t.notMatch(untold.body, 'alert', 'without a state of ours nothing is repeated')
  for (const page of [
    told,
    untold,
    await stage.browser().go(`/_poolgate/sign-in?${new URLSearchParams({ session: EVIL })}`),
    await stage.browser().go('/_poolgate/session', { host: 'evil.example' }),
  ]) {
    t.notMatch(page.body, '<script')
    t.match(fieldsOf(page, 'content-security-policy')[0], "default-src 'none'")
    t.notMatch(fieldsOf(page, 'content-security-policy')[0], 'unsafe')
  }
  const several = await setStage(t, { sessions: { a: {}, b: {} } })
  const choice = await several
    .browser()
    .go(`/_poolgate/sign-in?${new URLSearchParams({ return_to: EVIL })}`)
  t.notMatch(choice.body, '<script')
})

t.test(
  'B-22: state, nonce, verifier and session id are 128 random bits or more, and never the same',
  async (t) => {
    const { signIn, enter, kept, ...stage } = await setStage(t)
    const seen = new Set<string>()
    for (let i = 0; i < 50; i++) {
      const { searchParams } = locationOf(await signIn.challenge(toFacts('/'), {}))
      for (const name of ['state', 'nonce', 'code_challenge'])
        seen.add(searchParams.get(name) ?? '')
    }
    t.equal(seen.size, 150)
    t.ok([...seen].every((value) => /[\w-]{22}$/.test(value)))
    await enter(stage.browser())
    await enter(stage.browser())
    const ids = [...kept.sessions.keys()]
    t.equal(new Set(ids).size, 2)
    t.ok(ids.every((id) => /^[\w-]{22}$/.test(id)))
  },
)

t.test(
  'B-23: a browser that begins again and again keeps five attempts in less than 8 KiB',
  async (t) => {
    const stage = await setStage(t)
    const browser = stage.browser()
    for (let i = 0; i < 40; i++) {
      await stage.clock.advance(1)
      browser.keep(await stage.signIn.challenge(browser.facts(`/${'a'.repeat(i * 50)}`), {}))
      const bytes = [...browser.cookies].reduce(
        (sum, [name, value]) => sum + name.length + value.length + 3,
        0,
      )
      if (bytes > 8 * 1024) t.fail(`${bytes} bytes`)
      if (browser.cookies.size > 5) t.fail(`${browser.cookies.size} attempts`)
    }
    t.ok(browser.cookies.size >= 1)
  },
)
