// One request to AWS, given up at each stage: what was not signed for a caller who is still there is never sent.
import { Readable } from 'node:stream'
import t from 'tap'
import type { AwsCredentials, CredentialsResult } from '../../src/aws/aws-credentials.ts'
import type { SignV4, ToSign } from '../../src/aws/sigv4.ts'
import type { Allow } from '../../src/policy/decision.ts'
import { AwsCall } from '../../src/upstream/aws-call.ts'
import type { AwsUpstreamSettings, CredentialsOf } from '../../src/upstream/aws-call-parts.ts'
import { createClockOffset } from '../../src/upstream/clock-offset.ts'
import type { ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { createMemoryBudget, type MemoryBudget } from '../../src/upstream/memory-budget.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const CREDENTIALS: AwsCredentials = {
  accessKeyId: 'ASIA1',
  secretAccessKey: 's',
  sessionToken: 't',
  expiresAtMs: Number.POSITIVE_INFINITY,
}

const SETTINGS: AwsUpstreamSettings = {
  service: 'dynamodb',
  region: 'eu-west-1',
  host: 'dynamodb.eu-west-1.amazonaws.com',
  prefix: '',
  maxBody: 10,
  hideInternals: false,
  hidden: [],
  isS3: false,
  isApplication: false,
  otherKeys: false,
  actions: undefined,
}

const rejections: unknown[] = []
const note = (reason: unknown) => void rejections.push(reason)
process.on('unhandledRejection', note)
t.teardown(() => process.off('unhandledRejection', note))

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Some time for whatever may still be under way. */
async function turns() {
  for (let i = 0; i < 5; i++) await turn()
}

interface Parts {
  readonly settings?: Partial<AwsUpstreamSettings>
  readonly request?: Partial<UpstreamRequest>
  readonly credentials?: ReturnType<CredentialsOf>
  readonly sign?: SignV4
  /** Shared with another request. */
  readonly memory?: MemoryBudget
}

function start(parts: Parts = {}) {
  const clock = createFakeClock()
  const sent: UpstreamRequest[] = []
  const signed: ToSign[] = []
  const times: number[] = []
  let aborted = 0
  const memory = parts.memory ?? createMemoryBudget(1_000_000)
  const seen: { sink?: ResponseSink } = {}
  const sign: SignV4 = async (toSign, credentials, atMs) => {
    signed.push(toSign)
    times.push(atMs)
    if (parts.sign !== undefined) return parts.sign(toSign, credentials, atMs)
    return { ...toSign.headers, authorization: credentials.accessKeyId }
  }
  const inner = {
    dispatch(_: Allow, request: UpstreamRequest, sink: ResponseSink) {
      sent.push(request)
      seen.sink = sink
      return { abort: () => void aborted++, resume: () => undefined }
    },
  }
  const sink = createRecordingSink()
  const request = { method: 'POST', target: '/', headers: [], body: null, ...parts.request }
  const call = new AwsCall({ kind: 'allow' } as Allow, request, sink, {
    settings: { ...SETTINGS, ...parts.settings },
    inner,
    clock,
    sign,
    offset: createClockOffset(clock),
    hidden: new Set(),
    memory,
  })
  let asked = 0
  call.begin(() => {
    asked++
    return parts.credentials ?? CREDENTIALS
  })
  return {
    call,
    clock,
    sent,
    signed,
    times,
    asked: () => asked,
    heard: sink.heard,
    aborted: () => aborted,
    /** What the upstream tells the call. */
    upstream: () => seen.sink as ResponseSink,
  }
}

/** AWS refuses the time of a signature, by a clock that is ahead. */
function refuse(upstream: () => ResponseSink, status: number, date: string, said = SKEWED) {
  upstream().head(status, ['date', date])
  upstream().data(Buffer.from(said))
  upstream().ended([])
}

const SKEWED = '<Error><Code>RequestTimeTooSkewed</Code></Error>'
const S3 = { isS3: true }
/** The request's body as the gateway hands it in: it keeps its own failure to itself. */
const bodyOf = () => new Readable({ read: () => undefined }).on('error', () => undefined)

t.test('a client that goes while its credentials come is signed nothing for', async (t) => {
  for (const result of [CREDENTIALS, { kind: 'denied', detail: 'why' } as const]) {
    const coming = Promise.withResolvers<CredentialsResult>()
    const { call, sent, signed, heard } = start({ credentials: coming.promise })
    call.abort()
    coming.resolve(result)
    await turns()
    t.same([sent, signed, heard], [[], [], []])
  }
})

t.test('one that goes while its body is read, signed nothing either', async (t) => {
  const body = bodyOf()
  const { call, sent, signed, heard } = start({ request: { body } })
  await turn()
  body.push('abc')
  await turn()
  call.abort()
  body.push('def')
  body.push(null)
  await turns()
  t.same([sent, signed, heard], [[], [], []])
})

t.test('while the signature is made, it is sent nothing for', async (t) => {
  const coming = Promise.withResolvers<Record<string, string>>()
  const { call, sent, signed, heard } = start({ sign: () => coming.promise })
  await turn()
  call.abort()
  coming.resolve({})
  await turns()
  t.equal(signed.length, 1)
  t.same([sent, heard], [[], []])
})

t.test('after dispatch, the upstream’s call is given up and nothing more is told', async (t) => {
  const { call, sent, heard, aborted, upstream } = start()
  await turns()
  t.equal(sent.length, 1)
  call.abort()
  t.equal(aborted(), 1)
  upstream().informed(103, [])
  upstream().head(200, [])
  t.equal(upstream().data(Buffer.from('x')), true)
  upstream().ended([])
  upstream().failed({ kind: 'protocol', detail: 'late' })
  t.same(heard, [])
})

t.test('a body that breaks off, before or while it is read, is never sent', async (t) => {
  for (const when of ['before', 'while credentials come', 'mid-way'] as const) {
    const body = bodyOf()
    const coming = Promise.withResolvers<CredentialsResult>()
    if (when === 'before') body.destroy(new Error('gone'))
    const { sent, signed, heard } = start({ request: { body }, credentials: coming.promise })
    await turn()
    if (when === 'while credentials come') body.destroy(new Error('gone'))
    coming.resolve(CREDENTIALS)
    await turn()
    if (when === 'mid-way') {
      body.push('abc')
      await turn()
      body.destroy(new Error('gone'))
    }
    await turns()
    t.same([sent, signed], [[], []], when)
    t.match(heard, [['failed', String]])
  }
})

t.test('a body that ends without an error and without its end is not sent', async (t) => {
  const body = bodyOf()
  const { sent, heard } = start({ request: { body } })
  await turn()
  body.push('abc')
  body.destroy()
  await turns()
  t.same(sent, [])
  t.match(heard, [['failed', String]])
})

t.test('whoever cannot sign sends nothing', async (t) => {
  const refuses: SignV4 = async () => {
    throw new Error('no')
  }
  const throws: SignV4 = () => {
    throw new Error('no')
  }
  for (const sign of [refuses, throws])
    for (const settings of [{}, S3]) {
      const { sent, heard } = start({ sign, settings })
      await turns()
      t.same([sent, heard], [[], [['failed', 'credentials']]])
    }
})

t.test('credentials that never come as such deny', async (t) => {
  for (const [credentials, kind] of [
    ['login', 'login'],
    [{ kind: 'denied', detail: 'why' }, 'denied'],
    [{ kind: 'unavailable', detail: 'why' }, 'credentials'],
    [Promise.resolve({ kind: 'denied', detail: 'why' } as const), 'denied'],
  ] as const) {
    const { sent, signed, heard } = start({ credentials })
    await turns()
    t.same([sent, signed, heard], [[], [], [['failed', kind]]])
  }
  const { sent, heard } = start({ credentials: Promise.reject(new Error('never')) })
  await turns()
  t.same([sent, heard], [[], [['failed', 'credentials']]])
})

t.test('a request that is not signed here asks for no credentials', async (t) => {
  for (const [request, settings, kind] of [
    [{ target: '/?a=%zz' }, {}, 'refused'],
    [{ target: '/?X-Amz-Signature=1' }, {}, 'refused'],
    [{ headers: ['x-amz-copy-source', '/b/k'] }, S3, 'refused'],
    [{ body: bodyOf() }, S3, 'length'],
  ] as const) {
    const { sent, heard, asked } = start({ request, settings })
    await turns()
    t.same([sent, heard, asked()], [[], [['failed', kind]], 0])
  }
})

t.test('a body is hashed up to its bound, and sent as long as it is', async (t) => {
  const of = (text: string) =>
    start({
      request: {
        body: Readable.from([Buffer.from(text.slice(0, 4)), Buffer.from(text.slice(4))]),
        headers: ['transfer-encoding', 'chunked', 'Content-Length', '99', 'accept', 'a'],
      },
    })
  const whole = of('0123456789')
  await turns()
  t.equal(String(whole.signed[0]?.body), '0123456789')
  t.equal((await whole.sent[0]?.body?.toArray())?.join(''), '0123456789')
  const headers = whole.sent[0]?.headers ?? []
  t.equal(headers[headers.indexOf('content-length') + 1], '10')
  t.notOk(headers.includes('99'))
  const over = of('0123456789a')
  await turns()
  t.same([over.sent, over.signed, over.heard], [[], [], [['failed', 'too_large']]])
  const none = start({ request: { method: 'GET' } })
  await turns()
  t.equal(none.signed[0]?.body, undefined)
  t.equal(none.sent[0]?.body, null)
})

t.test('bodies have a bound together, and make room as soon as they are of no use', async (t) => {
  const whole = () => Readable.from([Buffer.alloc(4), Buffer.alloc(4)])
  // Its 8 bytes take 8; one caller may have an eighth of it all.
  const of = (memory: MemoryBudget, body = whole()) => start({ memory, request: { body } })
  for (const [most, isSent] of [
    [64, true],
    [63, false],
  ] as const) {
    const { sent, heard } = of(createMemoryBudget(most))
    await turns()
    t.equal(sent.length, isSent ? 1 : 0)
    if (!isSent) t.same(heard, [['failed', 'overloaded']])
  }
  for (const end of [
    ({ call }: ReturnType<typeof of>) => call.abort(),
    ({ upstream }: ReturnType<typeof of>) => upstream().head(200, []),
    ({ upstream }: ReturnType<typeof of>) => upstream().failed({ kind: 'protocol', detail: '' }),
  ]) {
    const shared = createMemoryBudget(80)
    const one = of(shared)
    await turns()
    const refused = of(shared)
    await turns()
    t.same(refused.heard, [['failed', 'overloaded']], 'while the first is under way')
    end(one)
    const next = of(shared)
    await turns()
    t.equal(next.sent.length, 1, 'there is room for one again')
    one.call.abort()
    const more = of(shared)
    await turns()
    t.same(more.heard, [['failed', 'overloaded']], 'and for one alone')
  }
  const shared = createMemoryBudget(80)
  for (const end of [
    (_: ReturnType<typeof of>, body: Readable) => body.destroy(new Error('gone')),
    (one: ReturnType<typeof of>) => one.call.abort(),
  ]) {
    const body = bodyOf()
    const broken = of(shared, body)
    await turn()
    body.push('abc')
    await turns()
    end(broken, body)
    await turns()
    const next = of(shared)
    await turns()
    t.equal(next.sent.length, 1, 'what broke off, or was given up half way, takes no room')
    next.call.abort()
  }
})

t.test('a body of many small pieces takes no more than one of few', async (t) => {
  const pieces = Array.from({ length: 100_000 }, () => Buffer.from('x'))
  const memory = createMemoryBudget(8 * 200_000)
  const before = process.memoryUsage().heapUsed
  const { sent } = start({
    memory,
    settings: { maxBody: 200_000 },
    request: { body: Readable.from(pieces) },
  })
  while (sent.length === 0) await turn()
  t.equal((await sent[0]?.body?.toArray())?.length, 1)
  t.ok(process.memoryUsage().heapUsed - before < 50 * 1024 * 1024)
})

t.test('S3’s bodies are handed on as they are, unread', async (t) => {
  const body = bodyOf()
  const request = { body, method: 'PUT', headers: ['content-length', '1000'] }
  const { sent, signed } = start({ request, settings: S3 })
  await turns()
  t.equal(sent[0]?.body, body)
  t.match(signed[0], { body: undefined, payloadHash: 'UNSIGNED-PAYLOAD' })
  t.ok(sent[0]?.headers.includes('1000'))
})

t.test('a refusal by AWS’s clock is asked once more by that clock, and no more', async (t) => {
  const { clock, sent, times, heard, upstream, aborted } = start({
    request: { body: Readable.from([Buffer.from('abc')]) },
  })
  const far = (ms: number) => new Date(clock.now() + ms).toUTCString()
  await turns()
  refuse(upstream, 403, far(600_000))
  await turns()
  t.equal(aborted(), 1)
  t.equal(sent.length, 2)
  t.equal((await sent[1]?.body?.toArray())?.join(''), 'abc')
  t.equal((times[1] ?? 0) - (times[0] ?? 0), 600_000)
  refuse(upstream, 403, far(1_200_000), '{"message":"Signature expired: …"}')
  await turns()
  t.equal(sent.length, 2)
  t.same(heard, [['failed', 'protocol']])
})

t.test('only a refusal is, and whoever cannot sign it again fails', async (t) => {
  for (const status of [200, 401, 404, 500]) {
    const { clock, sent, heard, upstream } = start()
    await turns()
    refuse(upstream, status, new Date(clock.now() + 600_000).toUTCString())
    await turns()
    t.equal(sent.length, 1)
    t.match(heard, [['head', status], ['data', SKEWED], ['ended']])
  }
  for (const said of ['', 'no', '{"message":"The security token is invalid"}', 'x'.repeat(5_000)]) {
    const { clock, sent, heard, upstream } = start()
    await turns()
    refuse(upstream, 403, new Date(clock.now() + 600_000).toUTCString(), said)
    await turns()
    t.equal(sent.length, 1, 'a refusal of something else, whatever its Date')
    t.match(heard, [['head', 403], ['data', said], ['ended']])
  }
  let asked = 0
  const once: SignV4 = async ({ headers }) => {
    if (++asked > 1) throw new Error('no')
    return headers
  }
  const { call, clock, sent, heard, upstream } = start({ sign: once })
  await turns()
  refuse(upstream, 400, new Date(clock.now() - 600_000).toUTCString())
  await turns()
  t.equal(sent.length, 1)
  t.same(heard, [['failed', 'credentials']])
  call.abort()
})

t.test('a client that goes between both is not asked for again', async (t) => {
  const { call, clock, sent, heard, upstream } = start()
  await turns()
  upstream().head(403, ['date', new Date(clock.now() + 600_000).toUTCString()])
  upstream().data(Buffer.from(SKEWED))
  call.abort()
  upstream().ended([])
  await turns()
  t.equal(sent.length, 1)
  t.same(heard, [])
})

t.test('S3’s internals are left out of answers where that is on', async (t) => {
  const { heard, upstream } = start({ settings: { ...S3, hideInternals: true } })
  await turns()
  upstream().head(200, ['X-Amz-Id-2', 'x', 'ETag', 'e', 'Server', 's', 'x-amz-meta-a', 'b'])
  upstream().data(Buffer.from('x'))
  upstream().ended([])
  upstream().failed({ kind: 'protocol', detail: 'late' })
  t.same(heard, [
    ['head', 200, ['ETag', 'e', 'x-amz-meta-a', 'b']],
    ['data', 'x'],
    ['ended', []],
  ])
})

t.test('none of all this left a rejection that nobody hears', async (t) => {
  await turns()
  t.same(rejections, [])
})
