// Answers around sign-in are never stored, framed or told about by a Referer.
import t from 'tap'
import { toJson, toPage, toRedirect, withoutBody } from '../../src/session/own-page.ts'
import { STYLE_HASH } from '../../src/session/page-shell.ts'
import { fieldsOf } from '../support/sign-in-stage.ts'

const content = { status: 200, detail: 'why', cookies: ['a=1', 'b=2'], headers: ['x-more', 'y'] }

t.test(
  'B-12, B-21: every answer is unstorable, differs by cookie and gives no Referer',
  async (t) => {
    for (const answer of [
      toPage(content, '<p>'),
      toJson(content, {}),
      toRedirect(302, 'https://a.example/', content),
    ]) {
      t.same(fieldsOf(answer, 'cache-control'), ['no-store'])
      t.same(fieldsOf(answer, 'vary'), ['Cookie'])
      t.same(fieldsOf(answer, 'referrer-policy'), ['no-referrer'])
      t.same(fieldsOf(answer, 'x-content-type-options'), ['nosniff'])
      t.same(fieldsOf(answer, 'content-security-policy'), [
        `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
      ])
      t.same(fieldsOf(answer, 'set-cookie'), ['a=1', 'b=2'])
      t.same(fieldsOf(answer, 'x-more'), ['y'])
      t.equal(answer.detail, 'why')
    }
  },
)

t.test(
  'a page with a form may send it where it says, and the form tells where it is from',
  async (t) => {
    const page = toPage(content, '<form>', "'self' https:")
    t.match(fieldsOf(page, 'content-security-policy')[0], "form-action 'self' https:;")
    t.same(fieldsOf(page, 'referrer-policy'), ['same-origin'])
  },
)

t.test('length and type are the body’s', async (t) => {
  const page = toPage(content, 'café')
  t.same(fieldsOf(page, 'content-length'), ['5'])
  t.same(fieldsOf(page, 'content-type'), ['text/html; charset=utf-8'])
  t.equal(toJson(content, { a: 1 }).body, '{"a":1}')
  t.same(fieldsOf(toJson(content, {}), 'content-type'), ['application/json'])
  const redirect = toRedirect(303, '/a', { detail: '' })
  t.match(redirect, { status: 303, body: '' })
  t.same(fieldsOf(redirect, 'content-length'), ['0'])
  t.same(withoutBody(page), { ...page, body: '' })
})
