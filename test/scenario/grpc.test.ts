// gRPC's own client and server with a gateway between them: every kind of call, and every way for one to end early.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { startGateway } from '../support/start-gateway.ts'

const bytes = (value: Buffer) => value
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${path}`,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
})
const SERVICE = {
  Unary: method('Unary', false, false),
  Down: method('Down', false, true),
  Up: method('Up', true, false),
  Both: method('Both', true, true),
}
const Client = grpc.makeGenericClientConstructor(SERVICE, 'Echo')

interface Echo extends grpc.Client {
  Unary: grpc.Client['makeUnaryRequest']
  [name: string]: unknown
}

async function startServer(t: Test, handlers: grpc.UntypedServiceImplementation = {}) {
  const server = new grpc.Server()
  const trailer = new grpc.Metadata()
  trailer.set('x-sum', '1')
  server.addService(SERVICE, {
    Unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
      done(null, call.request, trailer),
    Down(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      for (const part of [1, 2, 3]) call.write(Buffer.from([part]))
      call.end(trailer)
    },
    Up(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      let sum = 0
      call.on('data', (chunk: Buffer) => {
        sum += chunk.length
      })
      call.on('end', () => done(null, Buffer.from(String(sum))))
    },
    Both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (chunk: Buffer) => call.write(chunk))
      call.on('end', () => call.end())
    },
    ...handlers,
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  t.teardown(() => server.forceShutdown())
  return { server, origin: `http://127.0.0.1:${port}` }
}

const ROUTES = `
  - {name: echo, match: {path: /test.Echo/*}, access: {groups: {anyOf: [staff]}}, upstream: up}`

async function start(t: Test, handlers?: grpc.UntypedServiceImplementation, parts = {}) {
  const { server, origin } = await startServer(t, handlers)
  const gate = await startGateway({
    listen: '{address: "127.0.0.1:0", http2: true}',
    upstreamOrigin: origin,
    up: '    http2: true',
    routes: ROUTES,
    ...parts,
  })
  t.teardown(() => gate.stop())
  const metadata = (claims: Record<string, unknown> = {}) => {
    const fields = new grpc.Metadata()
    const token = gate.issuer.access({ 'cognito:groups': ['staff'], ...claims })
    fields.set('authorization', `Bearer ${token}`)
    return fields
  }
  const connect = (credentials = grpc.credentials.createInsecure()) => {
    const client = new Client(new URL(gate.origin).host, credentials, {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.ssl_target_name_override': 'localhost',
    }) as unknown as Echo
    t.teardown(() => client.close())
    return client
  }
  return { gate, server, metadata, connect, client: connect() }
}

/** One message and its answer, or the error; and the trailers. */
function unary(client: Echo, metadata: grpc.Metadata, body = Buffer.from('hi'), options = {}) {
  return new Promise<{
    error: grpc.ServiceError | null
    answer: Buffer | undefined
    status: grpc.StatusObject
  }>((resolve) => {
    let error: grpc.ServiceError | null = null
    let answer: Buffer | undefined
    const call = client.makeUnaryRequest(
      SERVICE.Unary.path,
      bytes,
      bytes,
      body,
      metadata,
      options,
      (failure: grpc.ServiceError | null, value?: Buffer) => {
        error = failure
        answer = value
      },
    )
    call.on('status', (status: grpc.StatusObject) =>
      setImmediate(() => resolve({ error, answer, status })),
    )
  })
}

const both = (client: Echo, metadata: grpc.Metadata) => {
  const call = client.makeBidiStreamRequest(SERVICE.Both.path, bytes, bytes, metadata)
  call.on('error', () => undefined)
  return call
}
const ended = (call: NodeJS.EventEmitter) =>
  new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve))

t.test('all four kinds of calls go through, with their trailers', async (t) => {
  const { client, metadata, gate } = await start(t)
  const one = await unary(client, metadata())
  t.equal(one.answer?.toString(), 'hi')
  t.equal(one.status.metadata.get('x-sum')[0], '1')
  const down = client.makeServerStreamRequest(
    SERVICE.Down.path,
    bytes,
    bytes,
    Buffer.of(),
    metadata(),
  )
  const parts: number[] = []
  down.on('data', (chunk: Buffer) => parts.push(...chunk))
  const status = await ended(down)
  t.same(parts, [1, 2, 3])
  t.equal(status.metadata.get('x-sum')[0], '1')
  const sum = await new Promise<string>((resolve, reject) => {
    const up = client.makeClientStreamRequest(
      SERVICE.Up.path,
      bytes,
      bytes,
      metadata(),
      (error, value) => (error ? reject(error) : resolve(String(value))),
    )
    for (const part of ['a', 'bc', 'def']) up.write(Buffer.from(part))
    up.end()
  })
  t.equal(sum, '6')
  const call = both(client, metadata())
  for (const text of ['a', 'b', 'c']) {
    call.write(Buffer.from(text))
    t.equal(String((await once(call, 'data'))[0]), text, 'each answered before the next is sent')
  }
  call.end()
  t.equal((await ended(call)).code, grpc.status.OK)
  const isComplete = ({ outcome }: Record<string, unknown>) => outcome === 'complete'
  await eventually('four lines', () => gate.accessLines().filter(isComplete).length === 4)
})

t.test('big messages go through whole', async (t) => {
  const { client, metadata, server } = await start(t)
  void server
  const big = Buffer.alloc(3_900_000, 'x')
  const { answer, error } = await unary(client, metadata(), big)
  t.equal(error, null)
  t.ok(answer?.equals(big))
})

t.test('denials are statuses of gRPC', async (t) => {
  const { client, metadata, gate } = await start(t)
  const code = async (fields: grpc.Metadata, path = SERVICE.Unary.path) => {
    const call = client.makeServerStreamRequest(path, bytes, bytes, Buffer.of(), fields)
    call.on('error', () => undefined).on('data', () => undefined)
    const { code, details, metadata } = await ended(call)
    return { code, details, id: metadata.get('x-request-id').length }
  }
  t.match(await code(new grpc.Metadata()), {
    code: 16,
    details: 'A bearer token is required',
    id: 1,
  })
  t.match(await code(metadata({ exp: 1 })), { code: 16, details: 'The token has expired' })
  t.match(await code(metadata({ 'cognito:groups': ['others'] })), { code: 7 })
  t.match(await code(metadata(), '/other.Service/Call'), { code: 12 })
  await eventually('every line', () => gate.accessLines().length === 4)
  t.match(
    gate.accessLines().map(({ reason, status }) => [reason, status]),
    [
      ['credential_missing', 200],
      ['token_expired', 200],
      ['group_missing', 200],
      ['route_not_found', 200],
    ],
  )
})

t.test('a cancelled call and one past its deadline are cancelled upstream', async (t) => {
  let cancelled = 0
  let seen = Promise.withResolvers<void>()
  let gone = Promise.withResolvers<void>()
  const { client, metadata } = await start(t, {
    Both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      seen.resolve()
      call.on('cancelled', () => {
        cancelled += 1
        gone.resolve()
      })
      call.on('error', () => undefined)
      call.resume()
    },
  })
  const call = both(client, metadata())
  call.write(Buffer.from('a'))
  await seen.promise
  call.cancel()
  t.equal((await ended(call)).code, grpc.status.CANCELLED)
  await gone.promise
  gone = Promise.withResolvers<void>()
  seen = Promise.withResolvers<void>()
  const late = client.makeBidiStreamRequest(SERVICE.Both.path, bytes, bytes, metadata(), {
    deadline: Date.now() + 200,
  })
  late.on('error', () => undefined)
  late.write(Buffer.from('a'))
  t.equal((await ended(late)).code, grpc.status.DEADLINE_EXCEEDED)
  await gone.promise
  t.equal(cancelled, 2)
})

t.test('an upstream that is not there, and one that dies amid a call', async (t) => {
  const { client, metadata, server } = await start(t)
  const call = both(client, metadata())
  call.write(Buffer.from('a'))
  await once(call, 'data')
  server.forceShutdown()
  t.not((await ended(call)).code, grpc.status.OK)
  t.equal((await unary(client, metadata())).error?.code, grpc.status.UNAVAILABLE)
})

t.test('a call ends with its token', async (t) => {
  const { client, metadata, gate } = await start(t)
  const exp = Math.ceil((Date.now() + 300) / 1000)
  const call = both(client, metadata({ exp }))
  call.write(Buffer.from('a'))
  await once(call, 'data')
  call.on('data', () => undefined)
  const { code, details } = await ended(call)
  t.match({ code, details }, { code: 16, details: 'token expired' })
  t.ok(Date.now() >= exp * 1000)
  t.match(await eventually('its line', () => gate.accessLines()[0]), { outcome: 'token_expired' })
})

t.test('with TLS to the gateway as well', async (t) => {
  const { cert, key } = createSelfSigned()
  const files = { cert: join(t.testdir(), 'cert.pem'), key: join(t.testdir(), 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  const listen = `{address: "127.0.0.1:0", tls: ${JSON.stringify(files)}}`
  const { connect, metadata } = await start(t, undefined, { listen })
  const client = connect(grpc.credentials.createSsl(Buffer.from(cert)) as never)
  const { answer, error } = await unary(client, metadata())
  t.equal(error, null)
  t.equal(answer?.toString(), 'hi')
})
