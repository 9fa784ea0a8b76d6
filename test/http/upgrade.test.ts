// Which requests ask for an upgrade in one way only, and what a WebSocket handshake has to have.
import t from 'tap'
import {
  isWebSocketHandshake,
  requestedUpgrade,
  toWebSocketAccept,
} from '../../src/http/upgrade.ts'

const ASKS = ['Host', 'a', 'Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket']
const asked = (headers: readonly string[], method = 'GET', version = '1.1') =>
  requestedUpgrade(method, version, headers)

t.test('a GET of HTTP/1.1 that names one protocol asks for it', async (t) => {
  t.equal(asked(ASKS), 'websocket')
  t.equal(asked(['upgrade', 'IRC/6.9', 'connection', 'upgrade']), 'irc/6.9')
  t.equal(asked([...ASKS, 'Content-Length', '0']), 'websocket')
})

t.test('whatever could be taken in two ways asks for nothing', async (t) => {
  t.equal(asked(ASKS, 'POST'), undefined)
  t.equal(asked(ASKS, 'GET', '1.0'), undefined)
  t.equal(asked(['Upgrade', 'websocket']), undefined, 'Connection does not name it')
  t.equal(asked(['Upgrade', 'websocket', 'Connection', 'upgrades']), undefined)
  t.equal(asked([...ASKS, 'Upgrade', 'websocket']), undefined, 'twice')
  for (const value of ['websocket, h2c', '', 'web socket', 'websocket/', 'a/b/c'])
    t.equal(asked(['Connection', 'upgrade', 'Upgrade', value]), undefined, value)
  t.equal(asked([...ASKS, 'Content-Length', '5']), undefined, 'a body')
  t.equal(asked([...ASKS, 'Transfer-Encoding', 'chunked']), undefined, 'a body')
})

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

t.test('a handshake has version 13 and a key of 16 bytes, each once', async (t) => {
  const version = ['Sec-WebSocket-Version', '13']
  t.ok(isWebSocketHandshake(['sec-websocket-key', KEY, ...version]))
  for (const key of [
    '',
    'dGhl',
    `${KEY}=`,
    KEY.replace('==', ''),
    'dGhlIHNhbXBsZSBub25jZQAA',
    `${KEY}, ${KEY}`,
  ])
    t.notOk(isWebSocketHandshake(['Sec-WebSocket-Key', key, ...version]), key)
  t.notOk(isWebSocketHandshake(['Sec-WebSocket-Key', KEY]))
  t.notOk(isWebSocketHandshake(['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Version', '8']))
  t.notOk(isWebSocketHandshake(['Sec-WebSocket-Key', KEY, ...version, ...version]))
  t.notOk(isWebSocketHandshake(['Sec-WebSocket-Key', KEY, 'Sec-WebSocket-Key', KEY, ...version]))
})

t.test('the answer to a key is that of RFC 6455 section 1.3', async (t) => {
  t.equal(toWebSocketAccept(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})
