// Pages hold what they are given as text, and load and run nothing.
import { createHash } from 'node:crypto'
import t from 'tap'
import { markup, STYLE_HASH, toDocument } from '../../src/session/page-shell.ts'

t.test('text is escaped, in content and in attributes', async (t) => {
  const text = `<script>alert("x")</script> & 'y'`
  const escaped = '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;'
  t.equal(markup`<a href="${text}">${text}</a>`.html, `<a href="${escaped}">${escaped}</a>`)
})

t.test('HTML goes into HTML as it is, one piece or many', async (t) => {
  const items = ['a', '<b>'].map((item) => markup`<li>${item}</li>`)
  t.equal(
    markup`<ul>${items}</ul>${markup`<p></p>`}${[]}`.html,
    '<ul><li>a</li><li>&lt;b&gt;</li></ul><p></p>',
  )
})

t.test('the style is the one that the policy names, and there is no script', async (t) => {
  const page = toDocument('A <title>', markup`<p>content</p>`)
  const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(page) ?? []
  t.equal(STYLE_HASH, `sha256-${createHash('sha256').update(style).digest('base64')}`)
  t.notMatch(page, /<script|<link|<img|style=|\son\w+=|url\(|@import/)
  t.match(page, /^<!doctype html>\s+<html lang="en">/)
  t.match(page, '<title>A &lt;title&gt;</title>')
  t.match(page, '<h1>A &lt;title&gt;</h1>')
})
