// Names of static targets: where they may lead, over each way of opening a connection.
import dns, { type LookupAddress } from 'node:dns'
import { createServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo, LookupFunction } from 'node:net'
import t, { type Test } from 'tap'
import type { UpstreamFailure } from '../../src/upstream/failure.ts'
import { lookUpBySystem } from '../../src/upstream/system-lookup.ts'
import { createTarget } from '../../src/upstream/target.ts'
import { realClock } from '../support/real-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const { lookup } = dns

type Answer = (error: NodeJS.ErrnoException | null, found?: readonly LookupAddress[]) => void

/** Has every name lead to these addresses, or fail. */
function answer(t: Test, found: readonly string[] | Error): void {
  t.teardown(() => {
    dns.lookup = lookup
    syncBuiltinESMExports()
  })
  const addresses = (list: readonly string[]) =>
    list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  dns.lookup = ((_name: string, _options: unknown, callback: Answer) =>
    found instanceof Error ? callback(found) : callback(null, addresses(found))) as never
  syncBuiltinESMExports()
}

const lookUp = (all: boolean) =>
  new Promise<unknown[]>((resolve) => {
    const callback: Parameters<LookupFunction>[2] = (error, ...found) =>
      resolve(error ? [error.message] : found)
    lookUpBySystem('a.test', { all }, callback)
  })

t.test('loopback and private addresses stay, special ones are left out', async (t) => {
  answer(t, ['169.254.169.254', '127.0.0.1', '::1', 'fe80::1', '10.0.0.1', '0.0.0.0', '224.0.0.1'])
  const kept = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
    { address: '10.0.0.1', family: 4 },
  ]
  t.same(await lookUp(true), [kept])
  t.same(await lookUp(false), ['127.0.0.1', 4])
})

t.test('where none stays it is said why, and a failure is handed on', async (t) => {
  const special = ['169.254.169.254', '::ffff:169.254.170.2', 'fd00:ec2::254', '::']
  answer(t, special)
  t.same(await lookUp(true), [
    'a.test: 169.254.169.254 is link-local, ::ffff:169.254.170.2 is link-local, fd00:ec2::254 is link-local, :: is unspecified',
  ])
  answer(t, new Error('no such name'))
  t.same(await lookUp(true), ['no such name'])
})

interface Way {
  readonly engine?: 'undici'
  readonly scheme?: 'https'
  readonly http2?: true
  readonly upgrade?: string
}

const WAYS: Readonly<Record<string, Way>> = {
  lean: {},
  undici: { engine: 'undici' },
  tls: { scheme: 'https' },
  http2: { http2: true },
  upgrade: { upgrade: 'websocket' },
}

for (const [way, { scheme = 'http', upgrade, ...options }] of Object.entries(WAYS)) {
  t.test(
    `U-14 a static name that leads to link-local addresses leads nowhere: ${way}`,
    async (t) => {
      const server = createServer((_, response) => response.end('ok'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const target = createTarget(
        {
          target: `${scheme}://a.test:${port}`,
          ...{ connectMs: 5_000, responseMs: 5_000, idleMs: 5_000, keepAliveMs: 5_000 },
          ...{ connections: 2, queue: 1, queueMs: 5_000 },
          engine: 'lean',
          ...options,
        },
        realClock,
      )
      t.teardown(async () => {
        await target.destroy()
        await new Promise((resolve) => server.close(resolve))
      })
      const ask = async () => {
        const sink = createRecordingSink()
        let failure: UpstreamFailure | undefined
        const failed = (why: UpstreamFailure) => {
          failure = why
          sink.failed(why)
        }
        const request = { method: 'GET', target: '/', headers: ['Host', 'a.test'], body: null }
        target.dispatch({ ...request, ...(upgrade && { upgrade }) }, { ...sink, failed })
        await sink.done
        return failure
      }
      answer(t, ['169.254.169.254'])
      const refused = await ask()
      t.equal(refused?.kind, 'unreachable')
      t.match(refused?.detail, 'a.test: 169.254.169.254 is link-local')
      if (way !== 'lean' && way !== 'undici') return
      answer(t, ['169.254.169.254', '127.0.0.1'])
      t.equal(await ask(), undefined, 'another address of it does')
    },
  )
}
