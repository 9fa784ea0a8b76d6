// P-20: an origin that merely looks like a listed one gets no leave, neither for a preflight nor for an answer.
import t from 'tap'
import { startGateway } from '../support/start-gateway.ts'
import { sendRaw } from '../support/raw-client.ts'

const LISTED = ['https://app.example', 'http://localhost:3000']
const gate = await startGateway({
  routes: `
  - {name: api, match: {path: /api/*}, access: public, upstream: up, cors: {origins: [${LISTED.join(', ')}], credentials: true}}`,
})
t.teardown(() => gate.stop())

const FOREIGN = [
  'null', 'NULL', '*', '', 'app.example', 'https://app.example.evil.test', 'https://evil.test/https://app.example',
  'https://evilapp.example', 'https://sub.app.example', 'https://app.example:8443', 'https://app.example:443', 'http://app.example',
  'HTTPS://APP.EXAMPLE', 'https://App.example', 'https://app.example.', 'https://app.example/', 'https://app.example@evil.test',
  'https://app.example, https://evil.test', 'https://evil.test https://app.example', 'https://app.example%60.evil.test',
  'https://app.example_.evil.test', 'http://localhost', 'http://localhost:30000', 'http://localhost:300', 'http://127.0.0.1:3000',
  'http://localhost.evil.test:3000', '__proto__', 'constructor',
] // prettier-ignore

async function send(method: string, ...lines: string[]): Promise<string> {
  const head = [`${method} /api/x HTTP/1.1`, 'Host: a', 'Connection: close', ...lines, '', '']
  return (await sendRaw(gate.origin, head.join('\r\n'))).text.toLowerCase()
}

t.test('P-20: no trick with an origin is reflected', async (t) => {
  for (const origin of FOREIGN) {
    const asked = await send('OPTIONS', `Origin: ${origin}`, 'Access-Control-Request-Method: GET')
    t.match(asked, /^http\/1\.1 403 [\s\S]*cors_denied/, origin)
    for (const text of [asked, await send('GET', `Origin: ${origin}`)]) {
      t.notMatch(text, 'access-control-allow-', origin)
      t.match(text, 'vary: origin', origin)
    }
  }
})

t.test('P-20: two origins are none', async (t) => {
  const two = [`Origin: ${LISTED[0]}`, 'Origin: https://evil.test']
  for (const lines of [two, two.toReversed()]) {
    t.notMatch(await send('GET', ...lines), 'access-control-allow-')
    t.notMatch(
      await send('OPTIONS', ...lines, 'Access-Control-Request-Method: GET'),
      'access-control-allow-',
    )
  }
})

t.test('a listed one is, so that the test above can fail', async (t) => {
  for (const origin of LISTED) {
    const asked = await send('OPTIONS', `Origin: ${origin}`, 'Access-Control-Request-Method: GET')
    t.match(asked, `http/1.1 204`)
    for (const text of [asked, await send('GET', `Origin: ${origin}`)])
      t.match(text, `access-control-allow-origin: ${origin}\r\n`)
  }
})
