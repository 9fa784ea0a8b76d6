// The demo page: readable, and nothing that arrives is more than text in it.
import { createHash } from 'node:crypto'
import t from 'tap'
import { toDemoPage } from '../../src/dev-pool/demo-page.ts'
import { PAGE_POLICY } from '../../src/dev-pool/page.ts'

const EVIL = `<script>alert("1")</script>&'`
const ESCAPED = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;'

t.test('whatever arrives is escaped, wherever it stands', async (t) => {
  const page = toDemoPage({
    method: 'GET',
    target: `/${EVIL}`,
    headers: [
      { name: EVIL, value: EVIL },
      { name: 'x-auth-subject', value: EVIL, decoded: [EVIL] },
    ],
    body: { bytes: EVIL.length, text: EVIL },
  })
  t.notMatch(page, /<script/)
  t.equal(
    page.split(ESCAPED).length - 1,
    7,
    'title, heading, two headers with name, raw and decoded, body',
  )
})

t.test(
  'identity headers have a table of their own, with each member of a list marked',
  async (t) => {
    const page = toDemoPage({
      method: 'GET',
      target: '/',
      headers: [
        { name: 'host', value: 'h' },
        { name: 'x-auth-groups', value: 'a%2Cb,c', decoded: ['a,b', 'c'] },
      ],
      body: { bytes: 0, text: '' },
    })
    const [identity = '', others = ''] = page.split('<h2 id="headers">')
    t.match(identity, '<span class="chip">a,b</span><span class="chip">c</span>')
    t.match(identity, 'a%2Cb,c')
    t.match(others, 'host')
    t.notMatch(others, 'x-auth-groups')
    t.match(page, 'None.')
  },
)

t.test('without an identity the page says so', async (t) => {
  const page = toDemoPage({ method: 'GET', target: '/', headers: [], body: { bytes: 0, text: '' } })
  t.match(page, 'Nobody the gateway knows')
})

t.test('a body that was cut says so', async (t) => {
  const pageOf = (bytes: number, text: string) =>
    toDemoPage({ method: 'GET', target: '/', headers: [], body: { bytes, text } })
  t.match(pageOf(2, 'é'), '2 bytes:')
  t.match(pageOf(3, 'é'), '3 bytes, the beginning:')
})

t.test('the policy allows exactly the style sheet of the page', async (t) => {
  const page = toDemoPage({ method: 'GET', target: '/', headers: [], body: { bytes: 0, text: '' } })
  const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  t.match(PAGE_POLICY, `'sha256-${hash}'`)
  t.notMatch(page, /style="|onclick|src=|href="(?!data:|\/[a-z_])/)
  t.match(page, '<html lang="en">')
})
