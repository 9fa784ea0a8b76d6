// poolgate healthcheck: 0 only when a gateway says that it is ready.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { healthcheck } from '../../src/cli/healthcheck.ts'
import { createTestContext } from '../support/command-context.ts'

let status = 200
const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(request.url ?? '')
  response.writeHead(status).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
t.teardown(() => server.close())

t.test('asks /readyz, or the path that the URL names', async (t) => {
  const { context, stderr } = createTestContext()
  t.equal(await healthcheck(origin, context), 0)
  t.equal(await healthcheck(`${origin}/livez`, context), 0)
  t.same(asked, ['/readyz', '/livez'])
  t.equal(stderr(), '')
})

t.test('anything but 200 is 1, and told', async (t) => {
  for (const answer of [503, 404, 204, 302]) {
    status = answer
    const { context, stderr } = createTestContext()
    t.equal(await healthcheck(origin, context), 1)
    t.equal(stderr(), `healthcheck: ${origin}/readyz: answered ${answer}\n`)
  }
})

t.test('nobody there is 1, and told', async (t) => {
  const { context, stderr } = createTestContext()
  t.equal(await healthcheck('http://127.0.0.1:1', context), 1)
  t.match(stderr(), 'ECONNREFUSED')
})

t.test('what is no http URL is bad usage', async (t) => {
  for (const url of ['localhost:9090', 'https://127.0.0.1', '']) {
    const { context, stderr } = createTestContext()
    t.equal(await healthcheck(url, context), 2, url)
    t.match(stderr(), 'must begin with http://')
  }
})
