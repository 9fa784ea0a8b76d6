// What the HTTP client says becomes one of four kinds, and nobody behind reads its codes.
import t from 'tap'
import { toUpstreamFailure } from '../../src/upstream/failure.ts'

const error = (code: string) => Object.assign(new Error('said'), { code })

t.test('time-outs while a response is awaited or under way are time-outs', async (t) => {
  for (const code of ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']) {
    t.same(toUpstreamFailure(error(code), true), { kind: 'timeout', detail: `${code}: said` })
  }
})

t.test(
  'before there is a connection it cannot be reached, after that it answers wrongly',
  async (t) => {
    for (const code of ['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'UND_ERR_SOCKET']) {
      t.equal(toUpstreamFailure(error(code), false).kind, 'unreachable', code)
      t.equal(toUpstreamFailure(error(code), true).kind, 'protocol', code)
    }
    t.same(toUpstreamFailure(new Error('plain'), true), { kind: 'protocol', detail: 'plain' })
  },
)
