// The Fastify gateway that is measured: verify, put claims into request headers, forward, log.
// Its access line is as bare as one can be, because pino would cost it more than everything else here.
import { openSync, write } from 'node:fs'
import httpProxy from '@fastify/http-proxy'
import fastify, { type FastifyRequest } from 'fastify'
import type { World } from '../contender.ts'
import { ACCESS_LOG } from '../launch.ts'
import { type Caller, createAwsJwtVerify, createFastJwt } from './verify.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

const LOG_CHARS = 16 * 1024
const [port, library, worldJson] = process.argv.slice(2)
const world = JSON.parse(worldJson!) as World
const verify = library === 'fast-jwt' ? createFastJwt(world) : createAwsJwtVerify(world)

const app = fastify({ keepAliveTimeout: 65_000, http: { maxHeaderSize: 32_768 } })
app.decorateRequest('caller', undefined)
app.addHook('onResponse', (request, reply, done) => {
  logAccess(request, reply.statusCode, reply.elapsedTime)
  done()
})
await app.register(httpProxy, {
  upstream: `http://127.0.0.1:${world.upstreamPort}`,
  undici: { connections: 256, pipelining: 1 },
  preHandler: (request, reply, done) => {
    const result = verify(request.headers.authorization)
    if (typeof result === 'number') {
      reply.code(result).send()
      return
    }
    request.caller = result
    done()
  },
  replyOptions: {
    // Setting a field replaces what the client sent under that name.
    rewriteRequestHeaders: ({ caller }, headers) => ({
      ...headers,
      'x-auth-subject': caller!.subject,
      'x-auth-groups': caller!.groups,
      'x-auth-client-id': caller!.clientId,
    }),
  },
})
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })

const logFile = openSync(ACCESS_LOG, 'a')
let lines = ''

function logAccess(request: FastifyRequest, status: number, elapsedMs: number): void {
  const time = new Date().toISOString()
  lines += `{"time":"${time}","id":"${request.id}","method":"${request.method}","path":${JSON.stringify(request.url)},"status":${status},"ms":${elapsedMs},"subject":"${request.caller?.subject ?? ''}"}\n`
  if (lines.length < LOG_CHARS) return
  write(logFile, lines, () => undefined)
  lines = ''
}
