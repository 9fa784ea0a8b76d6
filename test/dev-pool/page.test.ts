// The frame of all pages, and the policies they are sent under.
import { createHash } from 'node:crypto'
import t from 'tap'
import { markup } from '../../src/http/markup.ts'
import { FORM_POLICY, PAGE_POLICY, toPage } from '../../src/dev-pool/page.ts'

t.test('the title is text, and the style sheet is the one that the policies allow', async (t) => {
  const page = toPage('<b>', markup`<p>main</p>`, 'card')
  t.match(page, '<title>&lt;b&gt;</title>')
  t.match(page, '<main class="card">\n<p>main</p>\n</main>')
  const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  for (const policy of [PAGE_POLICY, FORM_POLICY]) {
    t.match(policy, `default-src 'none'; style-src 'sha256-${hash}'`)
    t.notMatch(policy, /unsafe|script-src/)
  }
  t.match(PAGE_POLICY, "form-action 'none'")
  t.match(FORM_POLICY, "form-action 'self' ")
})
