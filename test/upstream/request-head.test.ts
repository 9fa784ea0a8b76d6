// The head of a request to an upstream says exactly what was decided and how its body is framed, once.
import { Readable } from 'node:stream'
import t from 'tap'
import type { UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { toRequestHead } from '../../src/upstream/request-head.ts'

const GET: UpstreamRequest = { method: 'GET', target: '/', headers: ['Host', 'a.test'], body: null }
const body = () => Readable.from([])

t.test('method, target and fields go out as they stand, in their order', async (t) => {
  const headers = ['Host', 'a.test', 'X-B', '\xff', 'x-b', '', 'Cookie', 'a=b; c=d']
  const { text } = toRequestHead({ ...GET, target: '/a%2fb?x=%7e&y', headers })
  t.equal(
    text,
    'GET /a%2fb?x=%7e&y HTTP/1.1\r\nHost: a.test\r\nX-B: \xff\r\nx-b: \r\nCookie: a=b; c=d\r\n\r\n',
  )
})

t.test('a request without a body has no framing where none is expected', async (t) => {
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE']) {
    t.same(toRequestHead({ ...GET, method }), {
      text: `${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`,
      contentLength: 0,
    })
  }
})

t.test('where a body is expected and there is none, its length says so, once', async (t) => {
  for (const method of ['POST', 'PUT', 'PATCH']) {
    t.same(toRequestHead({ ...GET, method }), {
      text: `${method} / HTTP/1.1\r\nHost: a.test\r\ncontent-length: 0\r\n\r\n`,
      contentLength: 0,
    })
    const headers = ['Host', 'a.test', 'Content-Length', '0']
    t.same(toRequestHead({ ...GET, method, headers }), {
      text: `${method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n`,
      contentLength: 0,
    })
  }
})

t.test(
  'a body of a known length is announced as such, in any spelling, and never chunked',
  async (t) => {
    for (const name of ['content-length', 'Content-Length', 'CONTENT-LENGTH']) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const head = toRequestHead({ ...GET, method, headers: [name, '5'], body: body() })
        t.same(head, { text: `${method} / HTTP/1.1\r\n${name}: 5\r\n\r\n`, contentLength: 5 })
      }
    }
  },
)

t.test('a body of unknown length is chunked, whatever the method', async (t) => {
  for (const method of ['GET', 'POST', 'DELETE']) {
    const { text, contentLength } = toRequestHead({ ...GET, method, body: body() })
    t.equal(text, `${method} / HTTP/1.1\r\nHost: a.test\r\ntransfer-encoding: chunked\r\n\r\n`)
    t.equal(contentLength, undefined)
  }
})

t.test('a name that only resembles Content-Length announces nothing', async (t) => {
  for (const name of ['Content_Length', 'X-Content-Length', 'Content-Lengths', 'Content-Typefo'])
    t.equal(toRequestHead({ ...GET, headers: [name, '5'], body: body() }).contentLength, undefined)
})
