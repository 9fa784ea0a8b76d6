// Fastify with fast-jwt and its cache behind nginx's auth_request: answers 204 with who is calling, 401 or 403.
import fastify from 'fastify'
import type { World } from '../contender.ts'
import { createFastJwt } from './verify.ts'

const [port, world] = process.argv.slice(2)
const verify = createFastJwt(JSON.parse(world!) as World)

const app = fastify({ keepAliveTimeout: 24 * 3_600_000, http: { maxHeaderSize: 65_536 } })
app.get('*', (request, reply) => {
  const result = verify(request.headers.authorization)
  if (typeof result === 'number') {
    reply.code(result).send()
    return
  }
  const { subject, groups, clientId } = result
  reply.headers({
    'x-auth-subject': subject,
    'x-auth-groups': groups,
    'x-auth-client-id': clientId,
  })
  reply.code(204).send()
})
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
