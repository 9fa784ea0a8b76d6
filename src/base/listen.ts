// Binds a server to its address and tells the address that clients use.
import type { AddressInfo, Server } from 'node:net'

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** Resolves with `host:port` (port 0 replaced by the real one) or `unix:` and the path; rejects when it cannot be bound. */
export function listenOn(server: Server, address: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const options =
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
    server.listen(options, () => {
      server.off('error', reject)
      resolve(toText(server.address()))
    })
  })
}

function toText(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return `unix:${bound}`
  return bound.family === 'IPv6'
    ? `[${bound.address}]:${bound.port}`
    : `${bound.address}:${bound.port}`
}
