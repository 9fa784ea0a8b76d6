// A verdict that lets a request through: 200, no body, and what the one that asks is to add.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import { respondAllowed } from '../../src/proxy/decision-endpoint.ts'

t.test('it has the fields, an id, and says whether the connection goes on', async (t) => {
  for (const close of [false, true]) {
    const request = new IncomingMessage(new Socket())
    Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 })
    const response = new ServerResponse(request)
    respondAllowed(response, ['x-auth-subject', 'a', 'x-auth-email', ''], 'id-1', close)
    t.equal(response.statusCode, 200)
    t.equal(response.writableEnded, true)
    const sent = (response as unknown as { _header: string })._header.toLowerCase()
    const lines = ['x-auth-subject: a', 'x-auth-email: ', 'content-length: 0', 'x-request-id: id-1']
    for (const line of lines) t.match(sent, `${line}\r\n`)
    t.match(sent, 'cache-control: no-store\r\n')
    t.equal(sent.includes('connection: close'), close)
  }
})
