// The admin listener answers three questions, to GET and HEAD alone.
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type AdminOptions, createAdminHandler } from '../../src/telemetry/admin.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

async function start(t: Test, options: Partial<AdminOptions> = {}) {
  const errors: string[] = []
  const handler = createAdminHandler({
    ready: () => ({ ready: true, reasons: [] }),
    upstreams: () => [],
    metrics: { render: async (accept) => ({ contentType: 'text/x', body: `for ${accept}\n` }) },
    log: { error: (_fields, message) => void errors.push(message) },
    ...options,
  })
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const request = httpRequest({ port, path, method, headers }, async (response) => {
        const chunks = await response.toArray()
        const body = Buffer.concat(chunks as Buffer[]).toString()
        resolve({ status: response.statusCode, headers: response.headers, body })
      })
      request.on('error', reject).end()
    })
  return { ask, errors }
}

t.test('/livez tells that the process is alive, ready or not', async (t) => {
  const { ask } = await start(t, { ready: () => ({ ready: false, reasons: ['none'] }) })
  t.match(await ask('/livez'), { status: 200, body: 'ok\n' })
})

t.test('/readyz answers 200, or 503 with the reasons', async (t) => {
  let reasons: string[] = []
  const { ask } = await start(t, { ready: () => ({ ready: reasons.length === 0, reasons }) })
  t.match(await ask('/readyz'), { status: 200, body: 'ok\n' })
  reasons = ['user pool main has no keys', 'draining']
  t.match(await ask('/readyz'), {
    status: 503,
    body: 'not ready\nuser pool main has no keys\ndraining\n',
  })
})

t.test('/upstreams tells how every target is, as JSON', async (t) => {
  const target = { origin: 'http://10.0.1.10:8080', state: 'ejected', sinceMs: 0, active: 3 }
  const { ask } = await start(t, {
    upstreams: () => [
      {
        name: 'orders',
        states: { healthy: 1, ejected: 1 },
        isPanicking: true,
        ejections: 1,
        retries: 0,
        checks: { success: 0, failure: 0 },
        targets: [
          { ...target, lastFailure: 'status 503' },
          { ...target, origin: 'http://b', state: 'healthy', lastFailure: '' },
        ],
      },
    ],
  })
  const { status, body, headers } = await ask('/upstreams')
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/)
  t.same(JSON.parse(body), {
    upstreams: [
      {
        upstream: 'orders',
        panic: true,
        targets: [
          {
            origin: 'http://10.0.1.10:8080',
            state: 'ejected',
            since: '1970-01-01T00:00:00.000Z',
            active_requests: 3,
            last_failure: 'status 503',
          },
          {
            origin: 'http://b',
            state: 'healthy',
            since: '1970-01-01T00:00:00.000Z',
            active_requests: 3,
          },
        ],
      },
    ],
  })
})

t.test('/metrics hands the Accept field on and sends what was rendered', async (t) => {
  const { ask } = await start(t)
  const answer = await ask('/metrics', 'GET', { accept: 'application/openmetrics-text' })
  t.match(answer, { status: 200, body: 'for application/openmetrics-text\n' })
  t.equal(answer.headers['content-type'], 'text/x')
})

t.test('a query is allowed, as some scrapers add one', async (t) => {
  const { ask } = await start(t)
  t.equal((await ask('/metrics?name[]=up')).status, 200)
  t.equal((await ask('/livez?verbose')).status, 200)
})

t.test('metrics that cannot be read are a 500 and a line in the log', async (t) => {
  const { ask, errors } = await start(t, {
    metrics: { render: async () => Promise.reject(new Error('boom at 10.0.0.1')) },
  })
  const answer = await ask('/metrics')
  t.equal(answer.status, 500)
  t.notMatch(answer.body, 'boom')
  t.same(errors, ['the metrics could not be read'])
})

t.test('every answer is plain text that nobody stores or guesses at', async (t) => {
  const { ask } = await start(t)
  for (const path of ['/livez', '/readyz', '/nothing']) {
    const { headers } = await ask(path)
    t.equal(headers['content-type'], 'text/plain; charset=utf-8', path)
    t.equal(headers['cache-control'], 'no-store', path)
    t.equal(headers['x-content-type-options'], 'nosniff', path)
  }
})

t.test('HEAD is GET without the body', async (t) => {
  const { ask } = await start(t)
  const answer = await ask('/readyz', 'HEAD')
  t.match(answer, { status: 200, body: '' })
  t.equal(answer.headers['content-length'], '3')
})

t.test('other methods are 405', async (t) => {
  const { ask } = await start(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    const answer = await ask('/readyz', method)
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'GET, HEAD')
  }
})

t.test('other paths are 404, near misses too', async (t) => {
  const { ask } = await start(t)
  const paths = [
    '/',
    '/livez/',
    '//livez',
    '/LIVEZ',
    '/live%7a',
    '/metrics/x',
    '/debug',
    '/__proto__',
  ]
  for (const path of paths) t.equal((await ask(path)).status, 404, path)
  t.equal((await ask('/nothing', 'POST')).status, 404)
})

t.test('a browser’s page of another origin gets nothing', async (t) => {
  const { ask } = await start(t)
  for (const origin of ['https://evil.example', 'null', '']) {
    t.equal((await ask('/metrics', 'GET', { origin })).status, 403, JSON.stringify(origin))
  }
})
