// Only what can show a sign-in page to a person is sent to one.
import t from 'tap'
import { isNavigation } from '../../src/session/navigation.ts'
import { type Asked, toFacts } from '../support/sign-in-stage.ts'

const HTML = ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8']

const judge = (headers: readonly string[], asked: Asked = {}) =>
  isNavigation(toFacts('/', { ...asked, headers }))

t.test('a browser that goes to a page says so', async (t) => {
  t.ok(judge(['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document']))
  t.ok(judge(['sec-fetch-mode', 'navigate']))
  t.ok(judge(['Sec-Fetch-Dest', 'document']))
})

t.test('what a page’s script, frame or image asks for is none, whatever it accepts', async (t) => {
  for (const [mode, destination] of [
    ['cors', 'empty'],
    ['same-origin', 'empty'],
    ['no-cors', 'image'],
    ['navigate', 'iframe'],
    ['navigate', 'frame'],
    ['navigate', 'embed'],
    ['websocket', 'websocket'],
    ['Navigate', 'document'],
  ] as const) {
    t.notOk(judge(['Sec-Fetch-Mode', mode, 'Sec-Fetch-Dest', destination, ...HTML]), destination)
  }
  t.notOk(judge(['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Mode', 'navigate', ...HTML]), 'twice')
})

t.test('a browser that says nothing is known by asking for HTML', async (t) => {
  t.ok(judge(HTML))
  t.ok(judge(['Accept', 'TEXT/HTML']))
  t.ok(judge(['Accept', 'application/xml', 'Accept', 'text/html; q=0.9']))
  for (const accept of [
    '*/*',
    'application/json',
    'text/*',
    'text/htmlx',
    'application/x; a=text/html',
  ]) {
    t.notOk(judge(['Accept', accept]), accept)
  }
  t.notOk(judge([]))
  t.notOk(judge([...HTML, 'X-Requested-With', 'XMLHttpRequest']), 'a script, by its own word')
})

t.test('no other method, and no upgrade', async (t) => {
  for (const method of ['POST', 'HEAD', 'PUT', 'OPTIONS', 'get']) {
    t.notOk(judge([...HTML, 'Sec-Fetch-Mode', 'navigate'], { method }), method)
  }
  t.notOk(judge(HTML, { upgrade: 'websocket' }))
})
