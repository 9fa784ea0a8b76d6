// nginx as an anchor, and as what asks somebody else by auth_request.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartOptions, World } from '../contender.ts'
import { commandPath, missingCommand, printedVersion } from '../installed.ts'
import { ACCESS_LOG, freePort, launch, type RunningProgram } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

export const nginx: CheckedContender = {
  name: 'nginx',
  verifies: false,
  missing: () => missingCommand('nginx'),
  version: nginxVersion,
  start: (world, options) => startNginx('nginx', world, options),
}

/** Who is asked whether a request may pass. */
export interface Verifiers {
  readonly ports: readonly number[]
  readonly path: string
  /** Fields of the subrequest beside the token, as nginx's configuration has them. */
  readonly fields: Readonly<Record<string, string>>
}

export function nginxVersion(): string {
  return printedVersion(commandPath('nginx'), ['-v'], /nginx\/(\S+)/)
}

export async function startNginx(
  name: string,
  world: World,
  { cpus, workers }: StartOptions,
  verifiers?: Verifiers,
): Promise<RunningProgram> {
  const port = await freePort()
  const configFile = join(world.dir, `${name}-${port}.conf`)
  writeFileSync(configFile, toConfig(world, port, workers, verifiers))
  const command = [commandPath('nginx'), '-p', world.dir, '-c', configFile, '-e', 'stderr'] as const
  return launch({ name, dir: world.dir, cpus, command, port })
}

function toConfig(world: World, port: number, workers: number, verifiers?: Verifiers): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((module) => `  ${module}_temp_path ${world.dir}/nginx-temp;`)
    .join('\n')
  return `
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 65536;
pid ${world.dir}/nginx-${port}.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 16384; }
http {
${temp}
  access_log ${ACCESS_LOG} combined buffer=64k flush=1s;
  large_client_header_buffers 4 32k;
  client_max_body_size 0;
  keepalive_timeout 65s;
  keepalive_requests 1000000000;
  keepalive_time 24h;
  upstream bench { server 127.0.0.1:${world.upstreamPort}; ${keptConnections()} }
  ${verifiers ? `upstream verifiers { ${toServers(verifiers.ports)} ${keptConnections()} }` : ''}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / {
      proxy_pass http://bench;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
${verifiers ? AUTH_REQUEST : ''}
    }
${verifiers ? toVerifierLocation(verifiers) : ''}
  }
}
`
}

function keptConnections(): string {
  return 'keepalive 256; keepalive_requests 1000000000; keepalive_time 24h;'
}

function toServers(ports: readonly number[]): string {
  return ports.map((port) => `server 127.0.0.1:${port};`).join(' ')
}

/** Setting a field replaces what the client sent under that name. */
const AUTH_REQUEST = `
      auth_request /.verify;
      auth_request_set $subject $upstream_http_x_auth_subject;
      auth_request_set $groups $upstream_http_x_auth_groups;
      auth_request_set $client $upstream_http_x_auth_client_id;
      proxy_set_header X-Auth-Subject $subject;
      proxy_set_header X-Auth-Groups $groups;
      proxy_set_header X-Auth-Client-Id $client;
`

/** Only the token is passed on, which is the cheapest that works, and what the verifier asks for beside it. */
function toVerifierLocation({ path, fields }: Verifiers): string {
  const more = Object.entries(fields)
    .map(([name, value]) => `      proxy_set_header ${name} ${value};`)
    .join('\n')
  return `
    location = /.verify {
      internal;
      proxy_pass http://verifiers${path};
      proxy_pass_request_body off;
      proxy_pass_request_headers off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header Authorization $http_authorization;
${more}
    }
`
}
