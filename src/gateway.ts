// The composition root: configuration in, a running gateway out. The only file that wires the parts together.
import type { Clock } from './base/clock.ts'
import { fetchJson } from './base/fetch-json.ts'
import { createIds } from './base/ids.ts'
import { listenOn } from './base/listen.ts'
import type { LoadedConfig, Problem } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { type CheckPorts, createCheckHandler } from './external-auth/check-handler.ts'
import { type CheckListener, createCheckListener } from './external-auth/check-listener.ts'
import { createDecisionEndpoints } from './external-auth/endpoints.ts'
import { compileRules } from './policy/compile-rules.ts'
import { DENY_REASONS } from './policy/decision.ts'
import { createActiveExchanges } from './proxy/active-exchanges.ts'
import { createListener, type ListenerSettings } from './proxy/listener.ts'
import { logRuleset } from './proxy/log-ruleset.ts'
import { createPipelinedExchanges } from './proxy/pipelined-exchanges.ts'
import { createProxyHandler } from './proxy/proxy-handler.ts'
import { readSources, reportOn } from './proxy/ruleset-reports.ts'
import { createRulesets, type RulesetPorts } from './proxy/ruleset.ts'
import { toEarlyRecord } from './proxy/to-early-record.ts'
import { createAccessLog } from './telemetry/access-log.ts'
import { createAdminHandler } from './telemetry/admin.ts'
import { createAdminServer } from './telemetry/admin-server.ts'
import type { ExchangeRecord } from './telemetry/exchange-record.ts'
import { createLog, type Log, type LogOptions } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

export interface GatewayPorts {
  readonly clock: Clock
  readonly version: string
  readonly logDestination?: LogOptions['destination']
}

export interface Gateway {
  /** Binds both listeners, or rejects and holds neither; keys are fetched in the background. */
  start(): Promise<GatewayAddresses>
  /** Puts another configuration in force. Addresses, time-outs and limits of the listeners stay as they are. */
  reload(loaded: LoadedConfig): void
  /** Drains, then stops; a second call cuts what is left. Both resolve once all is closed and logged. */
  stop(): Promise<void>
}

export interface GatewayAddresses {
  readonly origin: string
  /** Undefined where there is no admin listener. */
  readonly adminOrigin: string | undefined
  /** Where decisions are asked for by gRPC, as `host:port` or `unix:` and the path; undefined for nowhere. */
  readonly extAuthz: string | undefined
}

const JWKS_DEADLINE_MS = 3_000
const JWKS_MAX_BYTES = 64 * 1024

/** Problems of a configuration that show only when its routes are compiled: two that could tie. */
export function findRouteProblems(loaded: LoadedConfig): readonly Problem[] {
  const { problems } = compileRules(loaded.config)
  return problems.map(({ index, message }) => loaded.problemAt(['routes', index, 'match'], message))
}

export function createGateway({ config }: LoadedConfig, ports: GatewayPorts): Gateway {
  const { clock } = ports
  const log = createLog({ level: config.log.level, clock, ...destinationOf(ports) })
  const metrics = createMetrics({
    version: ports.version,
    routes: config.routes.map(({ name }) => name),
    upstreams: Object.keys(config.upstreams),
    reasons: DENY_REASONS,
    read: () => readSources(rulesets.current(), log.dropped()),
  })
  const rulesets = createRulesets(config, toRulesetPorts(clock, log, metrics.routeIndex))
  const logAccess = createAccessLog(log, () => rulesets.current().config.log.access)
  const active = createActiveExchanges()
  const pipelined = createPipelinedExchanges()
  const nextId = createIds()
  let draining = false
  let stopping: Promise<void> | undefined
  let cut = () => {}

  function observe(record: ExchangeRecord): void {
    metrics.observe(record)
    logAccess(record)
  }

  function faulted(error: unknown, { id }: { readonly id: string }): void {
    log.error({ err: error, request_id: id }, 'internal error')
  }

  const judging = { clock, nextId, ruleset: rulesets.current, faulted }
  const proxy = createProxyHandler({
    ...judging,
    draining: () => draining,
    opened(exchange) {
      active.add(exchange)
      metrics.exchangeStarted()
    },
    closed(exchange) {
      active.remove(exchange)
      pipelined.leave(exchange)
      metrics.exchangeEnded()
      exchange.finish()
      observe(exchange)
      if (draining) listener.closeIdle()
    },
    ending(exchange) {
      listener.takeNoMore(exchange.request.socket)
      pipelined.end(exchange)
    },
    pipelined,
    upgraded: metrics.upgraded,
    endpointAt: createDecisionEndpoints(),
  })

  const listener = createListener(toListenerSettings(config), {
    clock,
    handle: proxy.handle,
    nextId,
    busy: active.busy,
    unreadable(socket, reason, detail) {
      const exchange = active.last(socket)
      if (exchange !== undefined) proxy.breakOff(exchange, reason, detail)
      return exchange !== undefined
    },
    takesUpgrade: (protocol) => rulesets.current().upgrades.has(protocol),
    connected: (delta) => (delta === 1 ? metrics.connectionOpened() : metrics.connectionClosed()),
    refused: (refusal) => observe(toEarlyRecord(refusal, clock)),
    stalled(socket) {
      const { on, exchange } = active.waitsFor(socket)
      if (on === 'upstream') return false
      if (exchange === undefined || exchange.response.headersSent) return true
      proxy.deny(exchange, 'request_timeout', 'no byte of the body came')
      return false
    },
  })

  const checks = createChecks(config, {
    ...judging,
    started: metrics.exchangeStarted,
    ended(record) {
      metrics.exchangeEnded()
      observe(record)
    },
  })

  const admin = createAdminServer(
    config.admin,
    createAdminHandler({ ...reportOn(rulesets, () => draining), metrics, log }),
  )

  /** Whoever has no answer yet gets one; the rest is broken off, visibly. */
  function cutAll(): void {
    for (const exchange of active.all()) {
      if (exchange.endTunnel('the drain time is over')) continue
      if (exchange.response.headersSent) exchange.response.destroy()
      else proxy.deny(exchange, 'draining', 'the drain time is over')
    }
    clock.after(100, () => {
      listener.destroy()
      void checks?.close()
    })
  }

  async function drain(): Promise<void> {
    draining = true
    const closed = Promise.all([listener.close(), checks?.close()])
    const late = new Promise<void>((resolve) => {
      cut = resolve
      clock.after(config.timeouts.drainMs, resolve)
    })
    await Promise.race([closed, late])
    cutAll()
    await closed
    // The last exchanges end with their sockets, which may be a turn behind the server: their lines are not to be lost.
    for (let turns = 0; active.count() > 0 && turns < 100; turns++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function stop(): Promise<void> {
    log.info({}, 'draining')
    await drain()
    admin.close()
    admin.closeAllConnections()
    await rulesets.stop()
    await log.flush()
  }

  return {
    async start() {
      const adminAddress =
        config.admin === 'none' ? undefined : await listenOn(admin, config.admin.address)
      const address = await listener.listen().catch((error: unknown) => {
        admin.close()
        throw error
      })
      const extAuthz = await checks?.listen().catch((error: unknown) => {
        admin.close()
        listener.destroy()
        void listener.close()
        throw error
      })
      log.info({ listen: address, admin: adminAddress, ext_authz: extAuthz }, 'listening')
      return {
        extAuthz,
        origin: toOrigin(config.listen, address),
        adminOrigin:
          config.admin === 'none' ? undefined : toOrigin(config.admin, adminAddress ?? ''),
      }
    },
    reload(loaded) {
      rulesets.adopt(loaded.config)
      log.info({}, 'configuration reloaded')
    },
    stop() {
      if (stopping !== undefined) cut()
      stopping ??= stop()
      return stopping
    },
  }
}

function destinationOf({ logDestination }: GatewayPorts): Pick<LogOptions, 'destination'> {
  return logDestination === undefined ? {} : { destination: logDestination }
}

function createChecks({ extAuthz, limits }: Config, ports: CheckPorts): CheckListener | undefined {
  if (extAuthz === 'none') return undefined
  return createCheckListener(
    { ...extAuthz, connections: limits.connections },
    {
      clock: ports.clock,
      handle: createCheckHandler(ports),
      isTrusted: (address) => ports.ruleset().isTrustedChecker(address),
    },
  )
}

function toListenerSettings({ listen, limits, timeouts }: Config): ListenerSettings {
  return {
    ...listen,
    headerBytes: limits.headerBytes,
    connections: limits.connections,
    requestsPerConnection: limits.requestsPerConnection,
    headersMs: timeouts.headersMs,
    requestMs: timeouts.requestMs ?? 0,
    idleMs: timeouts.idleMs,
    keepAliveMs: timeouts.keepAliveMs,
    tlsHandshakeMs: timeouts.tlsHandshakeMs,
    checkIntervalMs: timeouts.checkIntervalMs,
  }
}

function toOrigin({ tls }: Pick<Config['listen'], 'tls'>, address: string): string {
  if (address.startsWith('unix:')) return address
  return `${tls === undefined ? 'http' : 'https'}://${address}`
}

function toRulesetPorts(
  clock: Clock,
  log: Log,
  routeIndex: RulesetPorts['routeIndex'],
): RulesetPorts {
  return {
    clock,
    random: Math.random,
    routeIndex,
    fetchJwks: (url) =>
      fetchJson(url, { clock, deadlineMs: JWKS_DEADLINE_MS, maxBytes: JWKS_MAX_BYTES }),
    ...logRuleset(log),
  }
}
