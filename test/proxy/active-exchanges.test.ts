// Who is under way on which connection, and whom it waits for.
import type { Duplex } from 'node:stream'
import t from 'tap'
import { createActiveExchanges } from '../../src/proxy/active-exchanges.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'

function createExchange(socket: object, awaitsClient = false): Exchange {
  return { request: { socket }, awaitsClient: () => awaitsClient } as unknown as Exchange
}

t.test('exchanges are found by their connection until they are removed', async (t) => {
  const active = createActiveExchanges()
  const [one, other] = [{} as Duplex, {} as Duplex]
  const [first, second] = [createExchange(one), createExchange(one)]
  active.add(first)
  active.add(second)
  t.equal(active.count(), 2)
  t.ok(active.busy(one))
  t.notOk(active.busy(other))
  t.equal(active.last(one), second, 'the youngest')
  t.equal(active.last(other), undefined)
  t.same([...active.all()], [first, second])
  active.remove(first)
  t.ok(active.busy(one))
  active.remove(second)
  t.notOk(active.busy(one))
})

t.test('a connection waits for its client, its upstream or a request', async (t) => {
  const active = createActiveExchanges()
  const [one, other] = [{} as Duplex, {} as Duplex]
  const slow = createExchange(one, true)
  active.add(slow)
  active.add(createExchange(other))
  t.match(active.waitsFor(one), { on: 'client', exchange: slow })
  t.match(active.waitsFor(other), { on: 'upstream' })
  t.same(active.waitsFor({} as Duplex), { on: 'request' })
})

t.test('all can be removed while they are gone through', async (t) => {
  const active = createActiveExchanges()
  const exchanges = [createExchange({}), createExchange({}), createExchange({})]
  for (const exchange of exchanges) active.add(exchange)
  const seen: Exchange[] = []
  for (const exchange of active.all()) {
    seen.push(exchange)
    for (const each of exchanges) active.remove(each)
  }
  t.equal(seen.length, 3)
  t.equal(active.count(), 0)
})
