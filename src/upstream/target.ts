// One target of an upstream: the engine that speaks to it, and the places that it has. Nothing is dispatched beyond them.
import type { Clock } from '../base/clock.ts'
import { hashText } from '../base/text.ts'
import { NO_CALL, type ResponseSink, type UpstreamCall, type UpstreamRequest } from './dispatch.ts'
import {
  type Engine,
  type EngineSettings,
  type MayResend,
  NEVER_RESENT,
  OVERLOADED,
  type TargetAddress,
} from './engine.ts'
import { createHttp2Engine } from './http2-engine.ts'
import { createLeanEngine } from './lean-engine.ts'
import { isTls, isUnix } from './open-socket.ts'
import { NEVER } from './sweep.ts'
import { createUndiciEngine } from './undici-engine.ts'
import { createUpgradeEngine } from './upgrade.ts'

export interface TargetSettings extends EngineSettings {
  /** Of HTTP/1.1: plain http alone can be lean; everything else goes through undici. */
  readonly engine: 'lean' | 'undici'
  /** HTTP/2 instead: chosen by ALPN on https, without asking on plain http. */
  readonly http2?: boolean
  /** Whose Host the target gets: the client's, or its own. */
  readonly host?: 'client' | 'upstream'
}

export interface Target {
  /** Scheme, host and port. */
  readonly origin: string
  readonly address: TargetAddress
  /** Of the origin, 30 bits. */
  readonly hash: number
  /** Requests that it has at present, those that wait for a connection included. */
  active(): number
  dispatch(request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

export function createTarget(
  settings: TargetSettings,
  clock: Clock,
  mayResend: MayResend = NEVER_RESENT,
): Target {
  const engine = createEngine(settings, clock, mayResend)
  // How many share a session is for the other side to say, so the HTTP/2 engine counts for itself.
  const capacity = settings.http2 ? NEVER : settings.connections + settings.queue
  const upgrades = createUpgradeEngine(settings, clock)
  let active = 0
  const authority = settings.host === 'upstream' ? toAuthority(settings) : undefined
  let upgraded = 0
  const release = () => {
    active--
  }
  const releaseUpgraded = () => {
    active--
    upgraded--
  }

  /** Beside the places of requests: whoever stays for hours is not to take those. */
  function upgrade(request: UpstreamRequest, sink: ResponseSink): UpstreamCall {
    if (upgraded >= settings.connections) {
      sink.failed(OVERLOADED)
      return NO_CALL
    }
    active++
    upgraded++
    return upgrades.dispatch(request, sink, releaseUpgraded)
  }

  return {
    origin: settings.target,
    address: { target: settings.target, serverName: settings.serverName },
    hash: hashText(settings.target),
    active: () => active,
    dispatch(asked, sink) {
      const request = authority === undefined ? asked : withHost(asked, authority)
      if (request.upgrade !== undefined) return upgrade(request, sink)
      if (active - upgraded >= capacity) {
        sink.failed(OVERLOADED)
        return NO_CALL
      }
      active++
      return engine.dispatch(request, sink, release)
    },
    close: () => both(engine.close(), upgrades.close()),
    destroy: () => both(engine.destroy(), upgrades.destroy()),
  }
}

async function both(...ends: readonly Promise<void>[]): Promise<void> {
  await Promise.all(ends)
}

/** The name that is configured: an address that was found under it says nothing to a virtual host. */
function toAuthority({ target, serverName }: TargetSettings): string {
  // A path is no name; any server takes this one for its own (RFC 9110 section 7.2 wants a Host always).
  if (isUnix(target)) return 'localhost'
  const { host, port } = new URL(target)
  if (serverName === undefined) return host
  return port === '' ? serverName : `${serverName}:${port}`
}

function withHost(request: UpstreamRequest, authority: string): UpstreamRequest {
  const headers = request.headers.map((field, i) =>
    i % 2 === 1 && request.headers[i - 1]?.toLowerCase() === 'host' ? authority : field,
  )
  return { ...request, headers }
}

function createEngine(settings: TargetSettings, clock: Clock, mayResend: MayResend): Engine {
  if (settings.http2) return createHttp2Engine(settings, clock)
  const isLean = settings.engine === 'lean' && !isTls(settings.target)
  return isLean
    ? createLeanEngine(settings, clock, mayResend)
    : createUndiciEngine(settings, clock, mayResend)
}
