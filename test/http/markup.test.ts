// HTML templates: what is put in stays text.
import t from 'tap'
import { markup } from '../../src/http/markup.ts'

const EVIL = `<b a="1" c='2'>&`
const ESCAPED = '&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;'

t.test('texts are escaped, in content and in attributes', async (t) => {
  t.equal(markup`<p title="${EVIL}">${EVIL}</p>`.html, `<p title="${ESCAPED}">${ESCAPED}</p>`)
})

t.test('what was made here is put in as it is, alone or as a list', async (t) => {
  const item = markup`<b>${1}</b>`
  t.equal(markup`<p>${item}</p>`.html, '<p><b>1</b></p>')
  t.equal(markup`${[item, markup`${EVIL}`]}`.html, `<b>1</b>${ESCAPED}`)
})

t.test('what is not there leaves no trace', async (t) => {
  t.equal(markup`a${undefined}b${false}c`.html, 'abc')
  t.equal(markup`${''}${0}`.html, '0')
})
