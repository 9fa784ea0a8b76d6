// What one connection may have under way at once, in verification or at upstreams. The rest of what it pipelines waits here for its
// turn, so that a single client never takes the places of all others, and is never answered out of order.
import type { ClientSocket } from './client-side.ts'
import type { Exchange } from './exchange.ts'

export interface PipelinedExchanges {
  /** Whether it may go on now. */
  admits(exchange: Exchange): boolean
  /** Calls `start` once one that was not admitted may go; false when too many of its connection wait already. */
  postpone(exchange: Exchange, start: () => void): boolean
  /** It is over, in whatever way: lets go who waited for that. */
  leave(exchange: Exchange): void
  /** The answer to it ends its connection: what waits behind it would be forwarded and never answered. */
  end(exchange: Exchange): void
}

/** Exchanges of one connection that are under way ahead of their turn to be answered. */
const MAX_AHEAD = 64
/** As many as a read of 64 KiB brings, all but the shortest; what comes on top is refused, and Node's own brake holds. */
const MAX_WAITING = 1024

interface Line {
  readonly ahead: Set<Exchange>
  readonly waiting: Map<Exchange, () => void>
}

export function createPipelinedExchanges(): PipelinedExchanges {
  // Only of connections that do pipeline: nobody else pays for it.
  const lines = new Map<ClientSocket, Line>()
  const lineOf = (socket: ClientSocket): Line => {
    const line = lines.get(socket) ?? { ahead: new Set(), waiting: new Map() }
    lines.set(socket, line)
    return line
  }
  return {
    admits(exchange) {
      if (isInTurn(exchange)) return true
      const { ahead } = lineOf(exchange.request.socket)
      return ahead.size < MAX_AHEAD && ahead.add(exchange).has(exchange)
    },
    postpone(exchange, start) {
      const { waiting } = lineOf(exchange.request.socket)
      return waiting.size < MAX_WAITING && waiting.set(exchange, start).has(exchange)
    },
    leave(exchange) {
      if (lines.size === 0) return
      const { socket } = exchange.request
      const line = lines.get(socket)
      if (line === undefined) return
      const { ahead, waiting } = line
      ahead.delete(exchange)
      waiting.delete(exchange)
      if (ahead.size === 0 && waiting.size === 0) lines.delete(socket)
      // With their connection the others are leaving too.
      else if (!socket.destroyed) startWaiting(line)
    },
    end(exchange) {
      const line = lines.get(exchange.request.socket)
      // Of what came before it nothing waits then.
      const isStarted = line?.ahead.has(exchange) || isInTurn(exchange)
      if (line === undefined || !isStarted) return
      for (const { request } of line.waiting.keys()) request.resume()
      line.waiting.clear()
    },
  }
}

/** Whose turn it is goes ahead of any number, or all would wait for it. */
function startWaiting({ ahead, waiting }: Line): void {
  for (const [exchange, start] of waiting) {
    if (ahead.size >= MAX_AHEAD && !isInTurn(exchange)) continue
    waiting.delete(exchange)
    start()
  }
}

/** A response has its socket once those before it are over. */
function isInTurn({ response }: Exchange): boolean {
  return response.socket !== null
}
