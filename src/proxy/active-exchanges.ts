// The exchanges under way, by connection: who is still being answered, who has stalled, whom a stop must cut.
import { createLinkedList } from '../base/linked-list.ts'
import type { ClientSocket } from './client-side.ts'
import type { Exchange } from './exchange.ts'

/** What an exchange has as its socket; told apart, and nothing more. */
type Connection = Pick<ClientSocket, 'destroyed'>

export interface ActiveExchanges {
  add(exchange: Exchange): void
  remove(exchange: Exchange): void
  count(): number
  busy(socket: Connection): boolean
  /** The youngest exchange of a connection: pipelined ones wait for those before. */
  last(socket: Connection): Exchange | undefined
  /** What a connection without traffic waits for: its client, its upstream, or (nothing under way) a request. */
  waitsFor(socket: Connection): {
    readonly on: 'client' | 'upstream' | 'request'
    exchange?: Exchange
  }
  /** As they are now: they may be removed meanwhile. */
  all(): Iterable<Exchange>
}

export function createActiveExchanges(): ActiveExchanges {
  const active = createLinkedList<Exchange>()
  const find = (socket: Connection) => {
    for (const exchange of active) if (exchange.request.socket === socket) return exchange
    return undefined
  }
  return {
    add: active.add,
    remove: active.remove,
    count: () => active.size,
    busy: (socket) => find(socket) !== undefined,
    last(socket) {
      let last: Exchange | undefined
      for (const exchange of active) if (exchange.request.socket === socket) last = exchange
      return last
    },
    waitsFor(socket) {
      const exchange = find(socket)
      if (exchange === undefined) return { on: 'request' }
      return { on: exchange.awaitsClient() ? 'client' : 'upstream', exchange }
    },
    all: () => [...active],
  }
}
