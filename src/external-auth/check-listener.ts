// The listener where Envoy asks for decisions by gRPC (envoy.service.auth.v3.Authorization/Check). gRPC's own library speaks; it
// is loaded only where there is such a listener.
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type {
  ConnectionInjector,
  sendUnaryData,
  Server,
  ServerCredentials,
  ServerUnaryCall,
} from '@grpc/grpc-js'
import { type ListenAddress, listenOn } from '../base/listen.ts'
import { toPlainAddress } from '../http/client-address.ts'
import type { CheckHandler } from './check-handler.ts'
import { type CheckRequest, type CheckResponse, createCheckMessages } from './check-messages.ts'

export interface CheckListenerSettings {
  readonly address: ListenAddress
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

export interface CheckListener {
  /** Resolves with the address that clients use: `host:port`, or `unix:` and the path. */
  listen(): Promise<string>
  /** Answers what is under way, then closes; a second call cuts it. */
  close(): Promise<void>
}

/** Envoy may send along a body, which nobody asks for: more than this breaks the call, and Envoy denies. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

export function createCheckListener(
  { address, tls }: CheckListenerSettings,
  handle: CheckHandler,
): CheckListener {
  const sockets = new Set<Socket>()
  let injector: ConnectionInjector | undefined
  let server: Server | undefined
  let closing: Promise<void> | undefined
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setNoDelay(true).setKeepAlive(true, 30_000)
    injector?.injectConnection(socket)
  })

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void listener.close(() => resolve()))
    // It says at once that it is done; the connections end with what is under way on them.
    server?.tryShutdown(() => {})
    await closed
  }

  return {
    async listen() {
      const grpc = await import('@grpc/grpc-js')
      server = new grpc.Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES })
      server.addService(toService(), {
        Check(
          call: ServerUnaryCall<CheckRequest, CheckResponse>,
          done: sendUnaryData<CheckResponse>,
        ) {
          void Promise.resolve(handle(call.request, peerOf(call.getPeer()))).then((response) =>
            done(null, response),
          )
        },
      })
      injector = server.createConnectionInjector(toCredentials(grpc.ServerCredentials, tls))
      return listenOn(listener, address)
    },
    close() {
      if (closing !== undefined) for (const socket of sockets) socket.destroy()
      closing ??= close()
      return closing
    },
  }
}

function toService() {
  const { decodeRequest, encodeResponse } = createCheckMessages()
  return {
    Check: {
      path: '/envoy.service.auth.v3.Authorization/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: () => Buffer.alloc(0),
      requestDeserialize: decodeRequest,
      responseSerialize: encodeResponse,
      responseDeserialize: () => undefined,
    },
  } as const
}

function toCredentials(
  credentials: typeof ServerCredentials,
  tls: CheckListenerSettings['tls'],
): ServerCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const [cert_chain, private_key] = [readFileSync(tls.cert), readFileSync(tls.key)]
  return credentials.createSsl(null, [{ cert_chain, private_key }])
}

/** Of `address:port`; '' on a unix socket, which has neither. */
function peerOf(peer: string): string {
  const address = peer.slice(0, Math.max(0, peer.lastIndexOf(':')))
  return toPlainAddress(address) ?? address
}
