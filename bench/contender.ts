// What the benchmark asks of everything that it measures: be started in one way, be found by process id, be stopped.

/** The world that contenders are started in: one upstream, one user pool, the same rule for all. */
export interface World {
  /** A directory of the run's own for generated configuration, sockets and logs. */
  readonly dir: string
  /** Port of the plain-http upstream on 127.0.0.1. */
  readonly upstreamPort: number
  /** `iss` of every good token. */
  readonly issuer: string
  /** Where the key set is served on 127.0.0.1, in plain http. */
  readonly jwksUrl: string
  /** The same key set as a file. */
  readonly jwksFile: string
  /** The signing key's public half as PEM (SPKI). */
  readonly publicKeyFile: string
  readonly keyId: string
  /** `client_id` of every good access token. */
  readonly clientId: string
  /** The group that the measured route asks for. */
  readonly group: string
}

export interface StartOptions {
  /** CPU list for taskset, such as `0`. */
  readonly cpus: string
  readonly workers: number
  /** Further routes beside the measured one; only Poolgate takes them. */
  readonly routes: number
}

export interface Contender {
  /** As in tables: `poolgate`, `haproxy`, `haproxy-jwt` … */
  readonly name: string
  /** False for the ones that only pass requests through, as anchors. */
  readonly verifies: boolean
  /** Why it cannot run on this machine; undefined when it can. */
  missing(): string | undefined
  /** Its version, for the record of a run. */
  version(): string
  /** Resolves once it accepts connections; rejects with its own last output when it does not within two minutes. */
  start(world: World, options: StartOptions): Promise<RunningContender>
}

export interface RunningContender {
  /** On 127.0.0.1. */
  readonly port: number
  /** Roots of its process trees (helpers such as a verifier behind auth_request included). */
  readonly pids: readonly number[]
  stop(): Promise<void>
}
