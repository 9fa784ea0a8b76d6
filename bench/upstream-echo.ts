// The upstream's second half: shows the header fields that arrived at /echo, and reads request bodies to their end.
import { createServer } from 'node:http'

const server = createServer({ maxHeaderSize: 65_536, requestTimeout: 0 }, (request, response) => {
  request.on('data', () => undefined)
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.rawHeaders))
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1')
