// How many exchanges of one connection are at upstreams, and in what order the rest follow.
import t from 'tap'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { createPipelinedExchanges } from '../../src/proxy/pipelined-exchanges.ts'

/** A connection whose exchanges stand in line to be answered. */
function createConnection() {
  const socket = { destroyed: false }
  const create = (): Exchange =>
    ({ request: { socket, resume: () => 0 }, response: { socket: null } }) as unknown as Exchange
  const takeTurn = ({ response }: Exchange) => Object.assign(response, { socket })
  return { socket, create, takeTurn }
}

t.test('without pipelining everybody goes', async (t) => {
  const pipelined = createPipelinedExchanges()
  for (let i = 0; i < 2_000; i++) {
    const { create, takeTurn } = createConnection()
    const exchange = create()
    takeTurn(exchange)
    t.ok(pipelined.admits(exchange))
    pipelined.leave(exchange)
  }
})

t.test('64 go ahead of their turn, then 1,024 wait in order, then no more', async (t) => {
  const pipelined = createPipelinedExchanges()
  const { create, takeTurn } = createConnection()
  const head = create()
  takeTurn(head)
  const ahead = Array.from({ length: 64 }, create)
  t.ok([head, ...ahead].every(pipelined.admits))
  const started: Exchange[] = []
  const late = Array.from({ length: 1_024 }, create)
  for (const exchange of late) {
    t.notOk(pipelined.admits(exchange))
    const start = () => void (pipelined.admits(exchange) && started.push(exchange))
    t.ok(pipelined.postpone(exchange, start))
  }
  t.notOk(pipelined.postpone(create(), () => t.fail('it was told no')))
  t.ok(pipelined.admits(createConnection().create()), 'another connection does not notice')

  const line = [...ahead, ...late]
  pipelined.leave(head)
  for (const exchange of line) {
    takeTurn(exchange)
    pipelined.leave(exchange)
  }
  t.same(started, late)
})

t.test('whose turn it is never waits for those behind', async (t) => {
  const pipelined = createPipelinedExchanges()
  const { create, takeTurn } = createConnection()
  const [head, slow] = [create(), create()]
  takeTurn(head)
  t.ok(pipelined.admits(head))
  for (let i = 0; i < 64; i++) t.ok(pipelined.admits(create()), 'decided before the slow one')
  let starts = 0
  t.notOk(pipelined.admits(slow))
  pipelined.postpone(slow, () => void (pipelined.admits(slow) && starts++))
  t.equal(starts, 0)
  takeTurn(slow)
  pipelined.leave(head)
  t.equal(starts, 1)
})

t.test('those of a connection that closes are not started', async (t) => {
  const pipelined = createPipelinedExchanges()
  const { socket, create } = createConnection()
  const ahead = Array.from({ length: 64 }, create)
  t.ok(ahead.every(pipelined.admits))
  pipelined.postpone(create(), () => t.fail('its client has left'))
  socket.destroyed = true
  for (const exchange of ahead) pipelined.leave(exchange)
})

t.test('behind an answer that ends its connection nothing is started', async (t) => {
  const fill = (pipelined: ReturnType<typeof createPipelinedExchanges>) => {
    const { create, takeTurn } = createConnection()
    const head = create()
    takeTurn(head)
    const ahead = Array.from({ length: 64 }, create)
    for (const exchange of [head, ...ahead]) pipelined.admits(exchange)
    const started: string[] = []
    const [ends, behind] = [create(), create()]
    pipelined.postpone(ends, () => {
      pipelined.admits(ends)
      started.push('ends')
      pipelined.end(ends)
    })
    pipelined.postpone(behind, () => started.push('behind'))
    return { create, takeTurn, head, ahead: ahead[0] as Exchange, started }
  }
  const pipelined = createPipelinedExchanges()
  const { takeTurn, ahead, head, started } = fill(pipelined)
  pipelined.leave(head)
  takeTurn(ahead)
  pipelined.leave(ahead)
  t.same(started, ['ends'])

  const other = createPipelinedExchanges()
  const line = fill(other)
  other.end(line.create())
  other.leave(line.ahead)
  t.same(line.started, ['ends'], 'one that was refused as it came says nothing of those before it')
  other.leave(line.head)
})
