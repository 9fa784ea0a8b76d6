// The answer to a preflight that is allowed: no body, an id, and the end of the connection where the gateway stops.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import type { Preflight } from '../../src/policy/decision.ts'
import { respondPermitted } from '../../src/proxy/preflight-response.ts'

t.test('it says what is allowed, and whether the connection goes on', async (t) => {
  for (const close of [false, true]) {
    const request = new IncomingMessage(new Socket())
    Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 })
    const response = new ServerResponse(request)
    const fields = { vary: 'Origin', 'access-control-max-age': '1' }
    respondPermitted(response, { kind: 'preflight', fields } as unknown as Preflight, 'id-1', close)
    t.equal(response.statusCode, 204)
    t.equal(response.writableEnded, true)
    const sent = (response as unknown as { _header: string })._header.toLowerCase()
    for (const line of ['vary: origin', 'access-control-max-age: 1', 'x-request-id: id-1'])
      t.match(sent, `${line}\r\n`)
    t.equal(sent.includes('connection: close'), close)
  }
})
