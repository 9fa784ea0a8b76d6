// One request to AWS, given up at each stage: what was not signed for a caller who is still there is never sent.
import { Readable } from 'node:stream'
import t from 'tap'
import type { AwsCredentials, CredentialsResult } from '../../src/aws/aws-credentials.ts'
import type { SignV4, ToSign } from '../../src/aws/sigv4.ts'
import type { Allow } from '../../src/policy/decision.ts'
import {
  AwsCall,
  type AwsUpstreamSettings,
  type CredentialsOf,
} from '../../src/upstream/aws-call.ts'
import { createClockOffset } from '../../src/upstream/clock-offset.ts'
import type { ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { createKeptBodies, type KeptBodies } from '../../src/upstream/kept-body.ts'
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
  /** Bytes that all bodies may have together. */
  readonly mostKept?: number
  /** Shared with another request. */
  readonly keptBodies?: KeptBodies
}

function start(parts: Parts = {}) {
  const clock = createFakeClock()
  const sent: UpstreamRequest[] = []
  const signed: ToSign[] = []
  const times: number[] = []
  let aborted = 0
  const { maxBody } = { ...SETTINGS, ...parts.settings }
  const kept = parts.keptBodies ?? createKeptBodies(maxBody, parts.mostKept)
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
    kept,
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
    kept,
    asked: () => asked,
    heard: sink.heard,
    aborted: () => aborted,
    /** What the upstream tells the call. */
    upstream: () => seen.sink as ResponseSink,
  }
}

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

t.test(
  'bodies of all requests have a bound as well, and make room when they are over',
  async (t) => {
    const whole = () => Readable.from([Buffer.alloc(4), Buffer.alloc(4)])
    const of = (keptBodies: KeptBodies) => start({ keptBodies, request: { body: whole() } })
    const exact = of(createKeptBodies(10, 8))
    await turns()
    t.equal(exact.sent.length, 1)
    const over = of(createKeptBodies(10, 7))
    await turns()
    t.same([over.sent, over.heard], [[], [['failed', 'overloaded']]])
    for (const end of [
      ({ call }: typeof exact) => call.abort(),
      ({ upstream }: typeof exact) => upstream().ended([]),
      ({ upstream }: typeof exact) => upstream().failed({ kind: 'protocol', detail: '' }),
    ]) {
      const shared = createKeptBodies(10, 15)
      const one = of(shared)
      await turns()
      const refused = of(shared)
      await turns()
      t.same(refused.heard, [['failed', 'overloaded']], 'while the first is under way')
      end(one)
      one.call.abort()
      const next = of(shared)
      await turns()
      t.equal(next.sent.length, 1, 'there is room for one again')
      const more = of(shared)
      await turns()
      t.same(more.heard, [['failed', 'overloaded']], 'and for one alone')
    }
    const shared = createKeptBodies(10, 8)
    const broken = bodyOf()
    start({ keptBodies: shared, request: { body: broken } })
    await turn()
    broken.push('abc')
    await turns()
    broken.destroy(new Error('gone'))
    await turns()
    const next = of(shared)
    await turns()
    t.equal(next.sent.length, 1, 'what broke off takes no room')
  },
)

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
  const far = (ms: number) => ['date', new Date(clock.now() + ms).toUTCString()]
  await turns()
  upstream().head(403, far(600_000))
  await turns()
  t.equal(aborted(), 1)
  t.equal(sent.length, 2)
  t.equal((await sent[1]?.body?.toArray())?.join(''), 'abc')
  t.equal((times[1] ?? 0) - (times[0] ?? 0), 600_000)
  upstream().head(403, far(1_200_000))
  await turns()
  t.equal(sent.length, 2)
  t.same(heard, [['failed', 'protocol']])
})

t.test('only a refusal is, and whoever cannot sign it again fails', async (t) => {
  for (const status of [200, 401, 404, 500]) {
    const { clock, sent, heard, upstream } = start()
    await turns()
    upstream().head(status, ['date', new Date(clock.now() + 600_000).toUTCString()])
    await turns()
    t.equal(sent.length, 1)
    t.match(heard, [['head', status]])
  }
  let asked = 0
  const once: SignV4 = async ({ headers }) => {
    if (++asked > 1) throw new Error('no')
    return headers
  }
  const { call, clock, sent, heard, upstream } = start({ sign: once })
  await turns()
  upstream().head(400, ['date', new Date(clock.now() - 600_000).toUTCString()])
  await turns()
  t.equal(sent.length, 1)
  t.same(heard, [['failed', 'credentials']])
  call.abort()
})

t.test('a client that goes between both is not asked for again', async (t) => {
  const { call, clock, sent, heard, upstream } = start()
  await turns()
  upstream().head(403, ['date', new Date(clock.now() + 600_000).toUTCString()])
  call.abort()
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
