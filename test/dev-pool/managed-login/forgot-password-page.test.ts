// /forgotPassword: a new password by code, and nothing to be learnt about names that nobody has.
import t from 'tap'
import { startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const codeOn = (html: string) => /<strong>(\d{6})<\/strong>/.exec(html)?.[1] ?? ''

async function forget(username: string) {
  const browser = dev.browse()
  const page = await browser.follow(await browser.open(dev.authorizeUrl()), 'Forgot your password?')
  return { browser, page: await browser.submit(page, { username }) }
}

t.test('the code on the page and a good password, then in with it', async (t) => {
  const { browser, page } = await forget('reader@example.com')
  t.equal(page.heading, 'Choose a new password')
  const code = codeOn(page.html)
  const weak = await browser.submit(page, { code, password: 'short' })
  t.match(weak.html, /<input id="password"[^>]* aria-invalid="true"/)
  const done = await browser.submit(weak, { code, password: 'Other-Pass-1' })
  t.match(done.alert, 'Your password is changed')
  const user = { username: 'reader', password: 'Other-Pass-1' }
  t.ok(dev.codeOf(await browser.submit(done, user)))
  const old = dev.browse()
  const form = await old.open(dev.authorizeUrl())
  t.notOk(dev.codeOf(await old.submit(form, { username: 'reader', password: 'Reader-Pass-1' })))
})

t.test(
  'for nobody, or without a verified address, it looks the same and leads nowhere',
  async (t) => {
    const pages = []
    for (const username of ['admin', 'nobody', 'guest']) {
      const { browser, page } = await forget(username)
      const [code, token] = [
        codeOn(page.html),
        /name="form_token" value="([^"]+)"/.exec(page.html)?.[1],
      ]
      t.match(code, /^\d{6}$/)
      t.equal(codeOn((await browser.open(page.url)).html), code, 'the same when it is shown again')
      pages.push(
        page.html
          .replaceAll(`“${username}”`, 'NAME')
          .replaceAll(code, 'CODE')
          .replaceAll(token ?? '', 'TOKEN'),
      )
      if (username === 'admin') continue
      const refused = await browser.submit(page, { code, password: 'Other-Pass-1' })
      t.equal(refused.heading, 'Choose a new password', username)
      t.not(refused.alert, '')
    }
    t.equal(pages[1], pages[0])
    t.equal(pages[2], pages[0])
  },
)
