// Compiles a configuration into what the request path uses, and swaps it whole: each request is judged by one configuration.
// Key sets and upstreams whose own settings stay the same are carried over, so that a reload never begins without keys.
import type { Clock } from '../base/clock.ts'
import type { FetchJsonResult } from '../base/fetch-json.ts'
import { createGatewayCredentials } from '../aws/gateway-credentials.ts'
import { createIdentityPool, type IdentityPool } from '../aws/identity-pool.ts'
import { toIdentityPoolSettings } from '../aws/identity-pool-settings.ts'
import { createTurnBudget } from '../base/turn-budget.ts'
import type { Config } from '../config/schema.ts'
import { isUnix } from '../config/listen-address.ts'
import { compileTrustedProxies } from '../http/client-address.ts'
import { compileOwnedHeaders } from '../http/headers.ts'
import { compileOwnCookies, cookieNameOf, type IsOwnCookie } from '../http/own-cookies.ts'
import type { RequestTarget } from '../http/request-target.ts'
import { type Authorize, type Caller, createAuthorize, toCaller } from '../policy/authorize.ts'
import { compileRules } from '../policy/compile-rules.ts'
import { compilePrincipal } from '../policy/principal.ts'
import { compileReserved } from '../route/reserved.ts'
import { createKeyRefresh, type KeyRefresh, type KeyRefreshSettings } from '../token/key-refresh.ts'
import { readSeed } from '../token/read-seed.ts'
import type { SessionsChanged } from '../session/session-keeper.ts'
import { createSignIn, type SignIn } from '../session/sign-in.ts'
import { createSignInEndpoints, type SignInEndpoints } from '../session/sign-in-endpoints.ts'
import { createVerifier, isRejected, type Verifier } from '../token/verifier.ts'
import { createAwsUpstream } from '../upstream/aws-upstream.ts'
import { createMemoryBudget } from '../upstream/memory-budget.ts'
import { createHandOutUpstream } from '../upstream/hand-out-upstream.ts'
import { createUpstream, type Upstream, type UpstreamPorts } from '../upstream/upstream.ts'
import { createCredentialsOf } from './credentials-of.ts'
import { type BuildClientHeaders, compileClientHeaders } from './client-headers.ts'
import { createCarryOver } from './carry-over.ts'
import { createLoopGuard, type LoopGuard } from './loop-guard.ts'
import { type SignInSource, toSignInSources } from './sign-in-sources.ts'
import type { RequestLimits } from './to-request-facts.ts'
import {
  type BuildUpstreamHeaders,
  type BuildUpstreamTrailers,
  compileUpstreamHeaders,
  compileUpstreamTrailers,
} from './upstream-headers.ts'

import { toUpstreamSources, type UpstreamSource } from './upstream-sources.ts'

/**
 * Signatures that are checked in one turn of the event loop: half a millisecond's worth, or a quarter of the time where turns are long.
 * Known callers wait for no more of them, however many come.
 */
const NEW_TOKENS = { perTurn: 8, perMs: 4, mostPerTurn: 64, maxWaiting: 4096 }

/** Of bodies that are kept to be signed and answers that are kept to be read, of all AWS upstreams together. */
const KEPT_BYTES = 256 * 1024 * 1024

export interface Ruleset {
  readonly config: Config
  readonly authorize: Authorize
  readonly verifier: Verifier<Caller>
  /** By name of the session. */
  readonly signIns: ReadonlyMap<string, SignIn>
  readonly isOwnCookie: IsOwnCookie
  /** The pages that browsers sign in and out with; undefined for every other target. */
  readonly pageAt: SignInEndpoints
  /** By name of the user pool. */
  readonly keys: ReadonlyMap<string, KeyRefresh>
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** By name. */
  readonly identityPools: ReadonlyMap<string, IdentityPool>
  /** Names of the identity headers, in lower case, in the order in which a principal has them. */
  readonly identityHeaders: readonly string[]
  readonly ownerOf: ReturnType<typeof compileOwnedHeaders>
  readonly buildUpstreamHeaders: BuildUpstreamHeaders
  readonly buildUpstreamTrailers: BuildUpstreamTrailers
  readonly buildClientHeaders: BuildClientHeaders
  readonly isTrusted: (address: string) => boolean
  /** The same of peers of the listener for checks by gRPC. */
  readonly isTrustedChecker: (address: string) => boolean
  readonly limits: RequestLimits
  /** Protocols that some route lets its callers go on with, in lower case. */
  readonly upgrades: ReadonlySet<string>
  /** Undefined where nobody asks for one. */
  readonly loopGuard: LoopGuard | undefined
  /** Whether a target is Poolgate's own, in any of its readings. */
  readonly isReserved: (target: RequestTarget) => boolean
}

export interface RulesetPorts {
  readonly clock: Clock
  readonly fetchJwks: (url: string) => Promise<FetchJsonResult>
  readonly random: () => number
  /** The number that a route has in telemetry, also when a reload brings it. */
  readonly routeIndex: (name: string) => number
  /** A pool's key endpoint began or ceased to fail. */
  readonly keysChanged: (userPool: string, problem: string | undefined) => void
  /** What becomes of looking for an upstream's targets. */
  readonly discovered: UpstreamPorts['discovered']
  readonly healthChanged: UpstreamPorts['healthChanged']
  /** An identity pool began or ceased to fail. */
  readonly credentialsChanged: (identityPool: string, problem: string | undefined) => void
  /** What a session stands on began or ceased to fail. */
  readonly sessionsChanged: (session: string, ...change: Parameters<SessionsChanged>) => void
}

export interface Rulesets {
  current(): Ruleset
  /** Compiles another configuration and puts it in force for every request from here on. */
  adopt(config: Config): void
  stop(): Promise<void>
}

export function createRulesets(first: Config, ports: RulesetPorts): Rulesets {
  const keysInUse = createCarryOver<KeyRefresh>()
  const upstreamsInUse = createCarryOver<Upstream>()
  const signInsInUse = createCarryOver<SignIn>()
  const identityPoolsInUse = createCarryOver<IdentityPool>()
  const ownCredentials = createGatewayCredentials(ports.clock)
  const memory = createMemoryBudget(KEPT_BYTES)
  const retiring = new Set<Upstream>()
  const ownGuard = createLoopGuard(ports.random)
  let current = compile(first)

  function compile(config: Config): Ruleset {
    const toPrincipal = compilePrincipal(config.identityHeaders)
    const keys = keysInUse.make(toKeySources(config.userPools), startKeys)
    const verifier = createVerifier({
      clock: ports.clock,
      cache: config.tokenCache,
      pools: Object.entries(config.userPools).map(([name, pool]) => ({
        settings: { ...pool, name, issuers: pool.issuer, resources: pool.resource },
        keys: keys.get(name) as KeyRefresh,
      })),
      budget: createTurnBudget(NEW_TOKENS, ports.clock),
      toPrincipal: (verified) => toCaller(toPrincipal(verified)),
    })
    const headerNames = Object.keys(config.identityHeaders)
    const loopGuard = config.loopGuard ? ownGuard : undefined
    const signIns = signInsInUse.make(toSignInSources(config), startSignIn)
    const isOwnCookie = compileOwnCookies(
      Object.entries(config.sessions).map(([name, { cookie }]) => cookieNameOf(name, cookie)),
    )
    const { table } = compileRules(config, ports.routeIndex)
    const identityPools = identityPoolsInUse.make(config.identityPools, startIdentityPool)
    return {
      config,
      authorize: createAuthorize(table, { clock: ports.clock, verifier, signIns }),
      verifier,
      signIns,
      isOwnCookie,
      pageAt: createSignInEndpoints(signIns, config.pathPrefix),
      keys,
      identityHeaders: headerNames,
      ownerOf: compileOwnedHeaders(headerNames),
      identityPools,
      upstreams: upstreamsInUse.make(toUpstreamSources(config), (name, source) =>
        startUpstream(name, source, identityPools),
      ),
      buildUpstreamHeaders: compileUpstreamHeaders(
        headerNames,
        config.forwardedHeader,
        loopGuard?.via,
        isOwnCookie,
      ),
      buildUpstreamTrailers: compileUpstreamTrailers(headerNames),
      buildClientHeaders: compileClientHeaders(headerNames, isOwnCookie),
      isTrusted: compileTrustedProxies(config.trustedProxies, isUnix(config.listen)),
      isTrustedChecker: compileTrustedProxies(config.trustedProxies, isUnix(config.extAuthz)),
      limits: { headerFields: config.limits.headerFields, target: config.limits.targetBytes },
      upgrades: new Set(config.routes.flatMap((route) => route.upgrades)),
      loopGuard,
      isReserved: compileReserved(config.pathPrefix),
    }
  }

  function startKeys(name: string, { jwksFile, ...settings }: KeySource): KeyRefresh {
    const keys = createKeyRefresh(settings, {
      clock: ports.clock,
      fetchJwks: ports.fetchJwks,
      random: ports.random,
      onRetired: (retired) => current?.verifier.forget(retired),
      onChange: (problem) => ports.keysChanged(name, problem),
    })
    const seed = readSeed(jwksFile)
    if (seed.problem !== undefined) ports.keysChanged(name, seed.problem)
    void keys.start(seed.document)
    return keys
  }

  function startUpstream(
    name: string,
    { timeouts, aws, handOut, ...rest }: UpstreamSource,
    identityPools: Ruleset['identityPools'],
  ): Upstream {
    if (handOut !== undefined) {
      const pool = identityPools.get(handOut.identityPool) as IdentityPool
      return createHandOutUpstream({ name, clientIds: handOut.clientIds }, pool)
    }
    const upstream = createUpstream({ name, ...timeouts, ...rest }, ports)
    if (aws === undefined) return upstream
    const { identityPool, settings } = aws
    const pool = identityPool && {
      exchange: identityPools.get(identityPool.name) as IdentityPool,
      settings: identityPool.settings,
    }
    const credentialsOf = createCredentialsOf(pool, ownCredentials, ports.clock)
    return createAwsUpstream(settings, upstream, { clock: ports.clock, credentialsOf, memory })
  }

  function startIdentityPool(name: string, settings: Config['identityPools'][string]) {
    return createIdentityPool(toIdentityPoolSettings(settings), {
      clock: ports.clock,
      random: ports.random,
      changed: (problem) => ports.credentialsChanged(name, problem),
    })
  }

  function startSignIn(name: string, { userPool, ...source }: SignInSource): SignIn {
    return createSignIn(
      { name, ...source },
      {
        clock: ports.clock,
        changed: (part, problem) => ports.sessionsChanged(name, part, problem),
        verify: async (token, tokenUse) => {
          const caller = await current.verifier.verify(token, { userPool, tokenUse })
          return isRejected(caller) ? caller : caller.principal
        },
      },
    )
  }

  /** Requests that began under the earlier configuration still end there. */
  function retire(upstream: Upstream, drainMs: number): void {
    retiring.add(upstream)
    ports.clock.after(drainMs, () => {
      void upstream.close().then(() => retiring.delete(upstream))
    })
  }

  return {
    current: () => current,
    adopt(config) {
      current = compile(config)
      for (const keys of keysInUse.drop()) keys.stop()
      for (const signIn of signInsInUse.drop()) void signIn.close()
      for (const upstream of upstreamsInUse.drop()) retire(upstream, config.timeouts.drainMs)
    },
    async stop() {
      for (const keys of current.keys.values()) keys.stop()
      const upstreams = [...current.upstreams.values(), ...retiring]
      const signIns = [...current.signIns.values()]
      await Promise.all([
        ...upstreams.map((upstream) => upstream.destroy()),
        ...signIns.map((signIn) => signIn.close()),
      ])
    },
  }
}

/** All that a pool's keys depend on; what else changes in the pool leaves them as they are. */
interface KeySource extends KeyRefreshSettings {
  readonly jwksFile: string | undefined
}

function toKeySources(userPools: Config['userPools']): Readonly<Record<string, KeySource>> {
  const sources = Object.entries(userPools).map(([name, pool]): [string, KeySource] => {
    const { jwksUri, jwksFile, jwksRefreshMs: refreshMs, jwksMaxStaleMs: maxStaleMs } = pool
    return [name, { jwksUri, jwksFile, refreshMs, maxStaleMs }]
  })
  return Object.fromEntries(sources)
}
