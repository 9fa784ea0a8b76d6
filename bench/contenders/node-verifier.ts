// A process behind nginx's auth_request: answers 204 with who is calling, 401 or 403.
import { createServer } from 'node:http'
import type { World } from '../contender.ts'
import { createAwsJwtVerify, rememberCallers } from './verify.ts'

const [port, world, memory] = process.argv.slice(2)
const afresh = createAwsJwtVerify(JSON.parse(world!) as World)
const verify = memory === 'remembering' ? rememberCallers(afresh) : afresh

const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
  const result = verify(request.headers.authorization)
  if (typeof result === 'number') response.writeHead(result).end()
  else
    response
      .writeHead(204, {
        'x-auth-subject': result.subject,
        'x-auth-groups': result.groups,
        'x-auth-client-id': result.clientId,
      })
      .end()
})
server.keepAliveTimeout = 24 * 3_600_000
server.listen(Number(port), '127.0.0.1')
