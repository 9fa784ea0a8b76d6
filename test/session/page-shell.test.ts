// Pages hold what they are given as text, and load and run nothing.
import { createHash } from 'node:crypto'
import t from 'tap'
import { markup } from '../../src/http/markup.ts'
import { STYLE_HASH, toDocument } from '../../src/session/page-shell.ts'

t.test('the style is the one that the policy names, and there is no script', async (t) => {
  const page = toDocument('A <title>', markup`<p>content</p>`)
  const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(page) ?? []
  t.equal(STYLE_HASH, `sha256-${createHash('sha256').update(style).digest('base64')}`)
  t.notMatch(page, /<script|<link|<img|style=|\son\w+=|url\(|@import/)
  t.match(page, /^<!doctype html>\s+<html lang="en">/)
  t.match(page, '<title>A &lt;title&gt;</title>')
  t.match(page, '<h1>A &lt;title&gt;</h1>')
})
