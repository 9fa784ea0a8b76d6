// The cache's bounds, and that it never answers for another token.
import t from 'tap'
import { createTokenCache } from '../../src/token/token-cache.ts'

const MIB = 1024 * 1024
const create = (entries = 10, bytes = MIB) => createTokenCache<{ name: string }>({ entries, bytes })
const tokenOf = (name: string) => `${name}.${'s'.repeat(40)}${name}`

/** Into a full cache. */
function setTwice(cache: ReturnType<typeof create>, name: string): void {
  cache.set(tokenOf(name), { name })
  cache.set(tokenOf(name), { name })
}

t.test('what was set is found by the same token', async (t) => {
  const cache = create()
  t.equal(cache.get(tokenOf('a')), undefined)
  cache.set(tokenOf('a'), { name: 'a' })
  t.same(cache.get(tokenOf('a')), { name: 'a' })
  t.equal(cache.size(), 1)
})

t.test('a token that differs in any one character is not found', async (t) => {
  const cache = create()
  const token = 'abcdefghij'.repeat(6)
  cache.set(token, { name: 'a' })
  for (let i = 0; i < token.length; i++) {
    t.equal(cache.get(`${token.slice(0, i)}X${token.slice(i + 1)}`), undefined)
  }
  t.equal(cache.get(token.slice(1)), undefined)
  t.equal(cache.get(`x${token}`), undefined)
})

t.test('two tokens with one ending never get each other’s value', async (t) => {
  const cache = create()
  const ending = 'e'.repeat(32)
  cache.set(`one${ending}`, { name: 'one' })
  cache.set(`two${ending}`, { name: 'two' })
  t.equal(cache.get(`one${ending}`), undefined)
  t.same(cache.get(`two${ending}`), { name: 'two' })
})

t.test('tokens shorter than the key are told apart', async (t) => {
  const cache = create()
  cache.set('a', { name: 'a' })
  t.equal(cache.get(''), undefined)
  t.equal(cache.get('b'), undefined)
  t.same(cache.get('a'), { name: 'a' })
})

t.test('one entry more than the bound pushes out the least recently used', async (t) => {
  const cache = create(3)
  for (const name of ['a', 'b', 'c']) cache.set(tokenOf(name), { name })
  t.equal(cache.evicted(), 0)
  cache.get(tokenOf('a'))
  setTwice(cache, 'd')
  t.equal(cache.size(), 3)
  t.equal(cache.evicted(), 1)
  t.equal(cache.get(tokenOf('b')), undefined)
  t.ok(cache.get(tokenOf('a')))
})

t.test('entries beyond the bytes push out others', async (t) => {
  const cache = create(1000, 4 * 2048 + 400)
  for (const name of ['a', 'b', 'c', 'd']) cache.set(tokenOf(name), { name })
  t.equal(cache.size(), 4)
  setTwice(cache, 'e')
  t.equal(cache.size(), 4)
  t.equal(cache.evicted(), 1)
})

t.test('a full cache keeps what it has from tokens that come once', async (t) => {
  const cache = create(100)
  for (let i = 0; i < 100; i++) cache.set(tokenOf(`kept-${i}`), { name: 'kept' })
  for (let i = 0; i < 1000; i++) cache.set(tokenOf(`once-${i}`), { name: 'once' })
  t.equal(cache.get(tokenOf('once-999')), undefined)
  t.equal(cache.evicted(), 0)
  cache.set(tokenOf('once-999'), { name: 'twice' })
  t.same(cache.get(tokenOf('once-999')), { name: 'twice' }, 'what comes again enters')
  t.same([cache.size(), cache.evicted()], [100, 1])
  cache.set(tokenOf('once-0'), { name: 'twice' })
  t.equal(cache.get(tokenOf('once-0')), undefined, 'what came long ago is forgotten')
  cache.set(tokenOf('kept-99'), { name: 'renewed' })
  t.same(cache.get(tokenOf('kept-99')), { name: 'renewed' }, 'what is there is renewed')
})

t.test('setting a token again replaces its value and counts as no eviction', async (t) => {
  const cache = create()
  cache.set(tokenOf('a'), { name: 'old' })
  cache.set(tokenOf('a'), { name: 'new' })
  t.same(cache.get(tokenOf('a')), { name: 'new' })
  t.same([cache.size(), cache.evicted()], [1, 0])
})

t.test('a purge drops exactly what it names, whatever the order of entries', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  for (let mask = 0; mask < 32; mask++) {
    const gone = new Set(names.filter((_, bit) => mask & (1 << bit)))
    const cache = create()
    for (const name of names) cache.set(tokenOf(name), { name })
    cache.purge(({ name }) => gone.has(name))
    t.same(
      names.filter((name) => cache.get(tokenOf(name))),
      names.filter((name) => !gone.has(name)),
    )
    t.equal(cache.evicted(), 0)
  }
})
