// The rows of the security catalogue on floods and oversized requests: each limit from both sides, and work that grows no faster
// than what was sent.
import t from 'tap'
import { clientAddress } from '../../src/http/client-address.ts'
import { encodeHeaderList, encodeHeaderValue } from '../../src/http/header-value.ts'
import {
  checkFraming,
  connectionNamed,
  normaliseFieldName,
  trimBlanks,
} from '../../src/http/headers.ts'
import { parseHost } from '../../src/http/host.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { readingsOf } from '../../src/route/readings.ts'
import { compileReserved } from '../../src/route/reserved.ts'
import { parseCredential } from '../../src/token/credential.ts'
import { parseJws } from '../../src/token/jws.ts'
import { parseJsonObject } from '../../src/token/strict-json.ts'
import { parseResponseHead } from '../../src/upstream/response-head.ts'
import { createKey, encode, signToken } from '../support/issuer.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRecordingUpstream } from '../support/recording-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'
import { parseAnswers } from '../support/wire.ts'

const upstream = await startRecordingUpstream()
const gate = await startGateway({ upstreamOrigin: upstream.origin })
t.teardown(() => Promise.all([gate.stop(), upstream.close()]))

const HOST = 'Host: probe.test\r\n'
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`

async function statusOf(request: string): Promise<number | undefined> {
  upstream.take()
  const { text, closed } = await sendRaw(gate.origin, request, {
    until: (text) => /\r\n\r\n/.test(text),
  })
  const [answer] = parseAnswers(text, false)
  const isForwarded = upstream.take().length > 0
  if (isForwarded !== (answer?.status === 200))
    throw new Error('forwarded without being answered so')
  return answer?.status ?? (closed ? 0 : undefined)
}

/** Sends all on one connection and gives the statuses, in order. */
async function pipeline(requests: readonly string[]): Promise<number[]> {
  const client = await connectRaw(gate.origin)
  client.send(requests.join('') + get('/public/end', 'Connection: close\r\n'))
  await client.closed()
  return parseAnswers(client.text(), false).map(({ status }) => status)
}

t.test('D-03 a flood of bad tokens is refused, and a good one still passes', async (t) => {
  const good = gate.issuer.access()
  const [header = '', payload = ''] = good.split('.')
  const stranger = createKey(gate.issuer.accessKey.kid)
  const bad = [
    `${good.slice(0, -8)}AAAAAAAA`,
    `${header}.${payload}.`,
    `${header}.${payload}.${'A'.repeat(342)}`,
    signToken(
      { kid: stranger.kid, alg: 'RS256' },
      Buffer.from(payload, 'base64url'),
      stranger.privateKey,
    ),
    'a.b.c',
    'x'.repeat(4000),
  ]
  const flood = Array.from({ length: 300 }, (_, i) => bad[i % bad.length])
  const requests = flood.map((token) => get('/api/x', `Authorization: Bearer ${token}\r\n`))
  upstream.take()
  const statuses = await pipeline([...requests, get('/api/x', `Authorization: Bearer ${good}\r\n`)])
  t.same(statuses, [...flood.map(() => 401), 200, 200])
  t.equal(upstream.take().length, 2)
})

t.test('D-03 what is no RS256 token of a known key costs no signature check', async (t) => {
  const [header = '', payload = '', signature = ''] = gate.issuer.access().split('.')
  const cheap = [
    [encode({ kid: 'unknown', alg: 'RS256' }), payload, signature],
    [encode({ kid: gate.issuer.accessKey.kid, alg: 'none' }), payload, signature],
    [header, payload, `${signature}!`],
    [header, payload, signature, ''],
    [header, payload],
  ].map((segments) => segments.join('.'))
  const requests = Array.from({ length: 500 }, (_, i) => cheap[i % cheap.length])
  const cpu = process.cpuUsage()
  await pipeline(requests.map((token) => get('/api/x', `Authorization: Bearer ${token}\r\n`)))
  const { user, system } = process.cpuUsage(cpu)
  t.ok(
    user + system < 3_000_000,
    `${(user + system) / requests.length} µs each, both ends and log included`,
  )
})

t.test('D-04 a flood of unknown keys asks the key endpoint once at most', async (t) => {
  const before = gate.jwks.count()
  const requests = Array.from({ length: 300 }, (_, i) => {
    const token = [encode({ kid: `unknown-${i}`, alg: 'RS256' }), encode({}), 'AAAA'].join('.')
    return get('/api/x', `Authorization: Bearer ${token}\r\n`)
  })
  const statuses = await pipeline(requests)
  t.same([...new Set(statuses)], [401, 200])
  t.ok(gate.jwks.count() - before <= 1, `${gate.jwks.count() - before} fetches`)
})

t.test('D-05 a request head takes up to 32 KiB', async (t) => {
  const withHead = (bytes: number) => {
    const bare = get('/public/x', 'X-Fill: \r\n').length
    return get('/public/x', `X-Fill: ${'x'.repeat(bytes - bare)}\r\n`)
  }
  t.equal(await statusOf(withHead(30 * 1024)), 200)
  t.equal(await statusOf(withHead(33 * 1024)), 431)
  t.equal(await statusOf(withHead(1024 * 1024)), 431)
})

t.test('D-05 a request has up to 128 fields', async (t) => {
  // Host is one of them.
  const withFields = (count: number) => get('/public/x', 'a: b\r\n'.repeat(count - 1))
  t.equal(await statusOf(withFields(128)), 200)
  t.equal(await statusOf(withFields(129)), 431)
  t.equal(await statusOf(withFields(2_000)), 431)
  t.equal(await statusOf(withFields(10_000)), 431)
})

t.test('D-05 a target takes up to 8 KiB, query included', async (t) => {
  const path = '/public/'.padEnd(8 * 1024, 'x')
  t.equal(await statusOf(get(path)), 200)
  t.equal(await statusOf(get(`${path}x`)), 414)
  t.equal(await statusOf(get('/public/?'.padEnd(8 * 1024, 'x'))), 200)
  t.equal(await statusOf(get('/public/?'.padEnd(8 * 1024 + 1, 'x'))), 414)
  t.equal(await statusOf(get(`http://probe.test${path}`)), 414, 'as it was written')
})

t.test('D-05 a token is no exception', async (t) => {
  const withToken = (bytes: number) =>
    get('/api/x', `Authorization: Bearer ${'A'.repeat(bytes)}\r\n`)
  t.equal(await statusOf(withToken(20 * 1024)), 401)
  t.equal(await statusOf(withToken(1024 * 1024)), 431)
})

/** Processor time of this thread, the shortest of several runs in ms: what the machine is busy with otherwise does not count. */
function timeOf(run: () => unknown, runs = 5): number {
  let shortest = Infinity
  for (let i = 0; i < runs; i++) {
    const before = process.threadCpuUsage()
    run()
    const { user, system } = process.threadCpuUsage(before)
    shortest = Math.min(shortest, (user + system) / 1000)
  }
  return shortest
}

const isReserved = compileReserved('/_poolgate')

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  parseRequestTarget: (text) => parseRequestTarget(`/${text}`, 'a'),
  'parseRequestTarget with a query': (text) => parseRequestTarget(`/?${text}`, 'a'),
  'parseRequestTarget in absolute form': (text) => parseRequestTarget(`http://${text}`, 'a'),
  readingsOf: (text) => readingsOf(`/${text}`),
  compileReserved: (text) =>
    isReserved({ path: '', query: '', decodedPath: `/${text}`, plain: false }),
  parseHost: (text) => parseHost(text),
  normaliseFieldName: (text) => normaliseFieldName(text),
  trimBlanks: (text) => trimBlanks(text),
  connectionNamed: (text) => connectionNamed(['Connection', text]),
  checkFraming: (text) => checkFraming(['Content-Length', text, 'Transfer-Encoding', text], '1.1'),
  parseResponseHead: (text) => {
    const head = `HTTP/1.1 200 OK\r\nConnection: ${text}\r\nKeep-Alive: ${text}\r\n`
    return parseResponseHead(`${head}\r\n`, head.length)
  },
  clientAddress: (text) => clientAddress('10.0.0.1', text, () => true),
  encodeHeaderValue: (text) => encodeHeaderValue(text),
  encodeHeaderList: (text) => encodeHeaderList(text.split('')),
  parseCredential: (text) => parseCredential(`Bearer ${text}`),
  parseJws: (text) => parseJws(text),
}
/** Each shape takes a run of a pattern; what stands around it keeps a reader from being done early. */
const SHAPES: readonly ((run: string) => string)[] = [
  (run) => run,
  (run) => `a${run}b`,
  (run) => `[${run}]`,
  (run) => `a,${run}b`,
]
const PATTERNS = [
  'a',
  '/',
  '/a',
  '.',
  '/.',
  ';',
  '/;a',
  '%',
  '%41',
  '%2',
  '%25',
  '%25c0%2580',
  '%c0%80',
  '%ed%a0%80',
  'A;',
  'A;/',
  ' ',
  '\t',
  ',',
  '::1,',
  '10.0.0.1, ',
  ', ',
  ':',
  '1',
  '.a',
  '[',
  '\\',
  '-',
  '=',
  'é',
]

t.test('D-06 no parser takes more than its time for more of any pattern', (t) => {
  for (const [name, parse] of Object.entries(PARSERS)) {
    for (const pattern of PATTERNS) {
      for (const [i, shape] of SHAPES.entries()) {
        const text = shape(pattern.repeat((64 * 1024) / pattern.length))
        // Linear takes a few milliseconds here, quadratic seconds: no busy machine confuses the two.
        const took = timeOf(() => parse(text), 2)
        t.ok(took < 400, `${name} of ${JSON.stringify(pattern)} in shape ${i} took ${took} ms`)
      }
    }
  }
  t.end()
})

t.test('D-06 no single request keeps the gateway busy', async (t) => {
  const trusting = await startGateway({ more: 'trustedProxies: [127.0.0.0/8, "::1"]' })
  t.teardown(trusting.stop)
  const wide = 30_000
  const blanks = `a${' '.repeat(wide)}b`
  const worst: Readonly<Record<string, string>> = {
    'blanks in Connection': get('/public/x', `Connection: ${blanks}\r\n`),
    'many lines of Connection': get(
      '/public/x',
      `${'Connection: b\r\n'.repeat(120)}Connection: a${' '.repeat(28_000)}b\r\n`,
    ),
    'blanks in X-Forwarded-For': get('/api/x', `X-Forwarded-For: ${blanks}\r\n`),
    'trusted addresses': get('/api/x', `X-Forwarded-For: ${'::1,'.repeat(wide / 4)}::1\r\n`),
    'overlong bytes, encoded twice': get(`/${'%25c0%2580'.repeat(815)}`),
    'surrogates, encoded twice': get(`/${'%25ed%25a0%2580'.repeat(540)}`),
    'the same below the own paths': get(`/_POOLGATE${'%25c0%2580'.repeat(810)}`),
  }
  const heads = (text: string) => text.match(/HTTP\/1\.1 \d/g)?.length ?? 0
  for (const [name, request] of Object.entries(worst)) {
    let shortest = Infinity
    for (let i = 0; i < 3; i++) {
      const before = process.threadCpuUsage()
      const { text } = await sendRaw(trusting.origin, request.repeat(10), {
        until: (text) => heads(text) === 10,
        quietMs: 60_000,
      })
      const { user, system } = process.threadCpuUsage(before)
      shortest = Math.min(shortest, (user + system) / 1_000)
      t.equal(heads(text), 10, name)
    }
    t.ok(shortest < 60, `ten of ${name} took ${shortest} ms, both ends included`)
  }
})

t.test('D-07 the worst JSON of the largest token is read, or refused, in no time', (t) => {
  const size = 24 * 1024
  const bombs: Readonly<Record<string, string>> = {
    'deep arrays': `{"a":${'['.repeat(size / 2)}${']'.repeat(size / 2)}}`,
    'deep objects': `${'{"a":'.repeat(size / 6)}1${'}'.repeat(size / 6)}`,
    'many members': `{${Array.from({ length: size / 10 }, (_, i) => `"k${i}":1`).join()}}`,
    'integer-like names': `{${Array.from({ length: size / 12 }, (_, i) => `"${i * 65_536}":1`).join()}}`,
    'one long number': `{"exp":${'9'.repeat(size)}}`,
    'one long fraction': `{"exp":0.${'1'.repeat(size)}}`,
    'a great exponent': `{"exp":1e${'9'.repeat(size)}}`,
    'escaped names': `{${Array.from({ length: size / 20 }, (_, i) => `"\\u0061${i}":1`).join()}}`,
    'one long string': `{"a":"${'\\u0061'.repeat(size / 6)}"}`,
    'the same name again': `{${'"a":1,'.repeat(size / 6)}"a":1}`,
    'white space': `{${' '.repeat(size)}}`,
    'open brackets': '['.repeat(size),
  }
  for (const [name, text] of Object.entries(bombs)) {
    const bytes = Buffer.from(text)
    const shortest = timeOf(() => parseJsonObject(bytes))
    t.ok(shortest < 200, name)
  }
  t.end()
})
