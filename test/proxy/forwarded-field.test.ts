// The Forwarded field: what Poolgate saw, behind what a trusted peer said and no other.
import t from 'tap'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { toForwardedField } from '../../src/proxy/forwarded-field.ts'

function field(changes: Partial<RequestFacts> = {}) {
  const facts = { peerAddress: '192.0.2.1', peerTrusted: false, secure: false, headers: [] }
  const host = { name: 'a', port: '8080', authority: 'a:8080' }
  return toForwardedField({ ...facts, host, ...changes } as unknown as RequestFacts)
}

t.test('it says who asked, what for, and how', async (t) => {
  t.equal(field(), 'for=192.0.2.1;host="a:8080";proto=http')
  t.equal(field({ secure: true }), 'for=192.0.2.1;host="a:8080";proto=https')
  t.match(field({ peerAddress: '2001:db8::1' }), /^for="\[2001:db8::1\]";/)
  t.match(field({ peerAddress: '' }), /^for=unknown;/, 'a unix socket has no address')
})

t.test('a trusted peer’s words stand before it, from every line; nobody else’s do', async (t) => {
  const headers = ['Forwarded', 'for=198.51.100.7', 'forwarded', 'for="_x, y";by=z']
  const own = field()
  t.equal(field({ headers }), own)
  const trusted = field({ headers, peerTrusted: true })
  t.equal(trusted, `for=198.51.100.7, for="_x, y";by=z, ${own}`)
})

t.test('an open quote of an earlier hop does not swallow it', async (t) => {
  for (const open of ['for="x', 'for="x\\"', '"'])
    t.equal(field({ headers: ['forwarded', open], peerTrusted: true }), field(), open)
  const closed = 'for="x\\"y"'
  t.match(field({ headers: ['forwarded', closed], peerTrusted: true }), closed)
})
