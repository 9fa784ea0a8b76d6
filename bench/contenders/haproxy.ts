// HAProxy as an anchor, and with its own jwt_verify. It has no token cache: every request pays the RSA check.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningContender, StartOptions, World } from '../contender.ts'
import { commandPath, missingCommand, printedVersion } from '../installed.ts'
import { freePort, launch } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

export const haproxy = createContender('haproxy', false)
export const haproxyJwt = createContender('haproxy-jwt', true)

function createContender(name: string, verifies: boolean): CheckedContender {
  return {
    name,
    verifies,
    missing: () => missingCommand('haproxy'),
    version: () => printedVersion(commandPath('haproxy'), ['-v'], /version (\S+)/),
    start: (world, options) => start(name, world, options, verifies ? jwtRules(world) : ''),
  }
}

async function start(
  name: string,
  world: World,
  { cpus, workers }: StartOptions,
  rules: string,
): Promise<RunningContender> {
  const port = await freePort()
  const configFile = join(world.dir, `${name}-${port}.cfg`)
  writeFileSync(configFile, toConfig(world, port, workers, rules))
  const command = [commandPath('haproxy'), '-db', '-f', configFile] as const
  return launch({ name, dir: world.dir, cpus, command, port })
}

function toConfig(world: World, port: number, workers: number, rules: string): string {
  return `
global
  nbthread ${workers}
  maxconn 8000
  tune.bufsize 32768
  log stdout format raw local0

defaults
  mode http
  log global
  option httplog
  http-reuse always
  timeout connect 3s
  timeout client 65s
  timeout server 60s

frontend in
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
${rules}
  default_backend upstream

backend upstream
  server upstream 127.0.0.1:${world.upstreamPort} maxconn 256
`
}

/**
 * The payload is decoded once, and cheap checks come before the RSA check; a claim that is not there denies as a wrong one
 * does. This version's json_query has no arrays: the group is looked for among the first three, and the first is told.
 */
function jwtRules(world: World): string {
  const groups = [0, 1, 2].map(
    (index) => `${claim(`cognito:groups[${index}]`)} -m str ${world.group}`,
  )
  return `
  http-request del-header x-auth- -m beg
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request set-var(txn.claims) var(txn.token),word(2,.),ub64dec
  http-request deny deny_status 401 unless { ${claim('iss')} -m str ${world.issuer} }
  http-request set-var(txn.client) ${claim('client_id')}
  http-request deny deny_status 401 unless { var(txn.client) -m str ${world.clientId} }
  http-request deny deny_status 401 unless { ${claim('token_use')} -m str access }
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.claims),json_query('$.exp','int'),sub(txn.now) -m int gt 0 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${world.publicKeyFile}") -m int 1 }
  http-request deny deny_status 403 unless ${groups.map((group) => `{ ${group} }`).join(' or ')}
  http-request set-header x-auth-subject %[${claim('sub')}]
  http-request set-header x-auth-groups %[${claim('cognito:groups[0]')}]
  http-request set-header x-auth-client-id %[var(txn.client)]
`
}

function claim(path: string): string {
  return `var(txn.claims),json_query('$.${path}')`
}
