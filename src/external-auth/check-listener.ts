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
import type { Clock } from '../base/clock.ts'
import { type ListenAddress, listenOn } from '../base/listen.ts'
import { toPlainAddress } from '../http/client-address.ts'
import type { CheckHandler } from './check-handler.ts'
import { type CheckRequest, type CheckResponse, createCheckMessages } from './check-messages.ts'

export interface CheckListenerSettings {
  readonly address: ListenAddress
  /** Most at once. */
  readonly connections: number
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

export interface CheckListenerPorts {
  readonly clock: Pick<Clock, 'after'>
  readonly handle: CheckHandler
  /** Whether the configuration in force trusts a peer of this address; '' on a unix socket. */
  readonly isTrusted: (address: string) => boolean
}

export interface CheckListener {
  /** Resolves with the address that clients use: `host:port`, or `unix:` and the path. */
  listen(): Promise<string>
  /** Answers what is under way, then closes; a second call cuts it. */
  close(): Promise<void>
}

/** Anybody may send as much before it is known what; a body, which nobody asks for, does not fit, and Envoy denies. */
const LIMITS = {
  'grpc.max_receive_message_length': 256 * 1024,
  'grpc.max_concurrent_streams': 100,
  /** MiB for each connection. */
  'grpc-node.max_session_memory': 16,
}
/** Peers that are not trusted are told so, a few at a time, and not for long. */
const STRANGERS = { atOnce: 4, forMs: 5_000 }

export function createCheckListener(
  { address, tls, connections }: CheckListenerSettings,
  { clock, handle, isTrusted }: CheckListenerPorts,
): CheckListener {
  const sockets = new Set<Socket>()
  let injector: ConnectionInjector | undefined
  let server: Server | undefined
  let closing: Promise<void> | undefined
  let strangers = 0
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (!isTrusted(toAddress(socket.remoteAddress)) && !admitStranger(socket)) {
      socket.destroy()
      return
    }
    socket.setNoDelay(true).setKeepAlive(true, 30_000)
    injector?.injectConnection(socket)
  })

  listener.maxConnections = connections

  function admitStranger(socket: Socket): boolean {
    if (strangers >= STRANGERS.atOnce) return false
    strangers++
    const timer = clock.after(STRANGERS.forMs, () => socket.destroy())
    socket.on('close', () => {
      strangers--
      timer.cancel()
    })
    return true
  }

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void listener.close(() => resolve()))
    // It says at once that it is done; the connections end with what is under way on them.
    server?.tryShutdown(() => {})
    await closed
  }

  return {
    async listen() {
      const grpc = await import('@grpc/grpc-js')
      server = new grpc.Server(LIMITS)
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
  return toAddress(peer.slice(0, Math.max(0, peer.lastIndexOf(':'))))
}

function toAddress(text = ''): string {
  return toPlainAddress(text) ?? text
}
