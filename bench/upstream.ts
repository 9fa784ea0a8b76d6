// The upstream that all contenders forward to: nginx for what is timed, a small Node process for what has to be looked at.
// It must be cheaper than any contender, so that it is never what is measured.
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandPath } from './installed.ts'
import { freePort, launch, type RunningProgram, together } from './launch.ts'

/** What `/` answers. */
export const UPSTREAM_BODY = 'a'.repeat(128)
export const FILE_BYTES = 1024 ** 3

/** `/` 128 bytes, `/file` 1 GiB, `/upload` reads it all and answers, `/echo` the request's header fields as JSON. */
export async function startUpstream(
  dir: string,
  cpus: string,
  jwksFile: string,
): Promise<RunningProgram> {
  const echoPort = await freePort()
  const echoFile = join(import.meta.dirname, 'upstream-echo.ts')
  const echo = await launch({
    name: 'upstream-echo',
    dir,
    cpus,
    command: [process.execPath, echoFile, String(echoPort)],
    port: echoPort,
  })
  const port = await freePort()
  writeFileSync(join(dir, 'file'), '')
  truncateSync(join(dir, 'file'), FILE_BYTES)
  const configFile = join(dir, 'upstream.conf')
  writeFileSync(configFile, upstreamConfig(dir, port, echoPort, jwksFile))
  try {
    const command = [commandPath('nginx'), '-p', dir, '-c', configFile, '-e', 'stderr'] as const
    const nginx = await launch({ name: 'upstream', dir, cpus, command, port })
    return together(nginx, echo)
  } catch (error) {
    await echo.stop()
    throw error
  }
}

function upstreamConfig(dir: string, port: number, echoPort: number, jwksFile: string): string {
  return `
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid ${dir}/upstream.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 16384; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_time 24h;
  keepalive_timeout 1h;
  client_max_body_size 0;
  large_client_header_buffers 4 64k;
  # What a contender let through must be seen at /echo, however it is spelt.
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_body_temp_path ${dir}/upstream-temp;
  proxy_temp_path ${dir}/upstream-temp;
  fastcgi_temp_path ${dir}/upstream-temp;
  uwsgi_temp_path ${dir}/upstream-temp;
  scgi_temp_path ${dir}/upstream-temp;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type text/plain;
    add_header Cache-Control no-store;
    add_header X-Upstream bench;
    location / { return 200 ${UPSTREAM_BODY}; }
    location = /file { root ${dir}; }
    location = /.well-known/jwks.json {
      alias ${jwksFile};
      default_type application/json;
    }
    location ~ ^/(echo|upload)$ {
      proxy_pass http://127.0.0.1:${echoPort};
      proxy_http_version 1.1;
      proxy_request_buffering off;
    }
  }
}
`
}
