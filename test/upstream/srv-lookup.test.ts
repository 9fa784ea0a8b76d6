// Host and port of each record are a target, of the lowest priority alone.
import t, { type Test } from 'tap'
import { createSrvLookUp } from '../../src/upstream/srv-lookup.ts'
import { startDnsServer, type SrvRecord, type Zone } from '../support/dns-server.ts'

const HOST = '_http._tcp.orders.internal'

async function start(
  t: Test,
  SRV: readonly SrvRecord[],
  zones: Record<string, Zone>,
  scheme = 'http:',
) {
  const server = await startDnsServer({ [HOST]: { SRV }, ...zones })
  t.teardown(server.close)
  const lookUp = createSrvLookUp(
    { scheme, host: HOST },
    { servers: [server.address], allowLinkLocal: false },
  )
  const ask = () => lookUp.ask(new AbortController().signal)
  const targets = async () => (await ask()).targets.map(({ target }) => target).sort()
  return { server, ask, targets }
}

t.test('every address of every record is a target, at the port of the record', async (t) => {
  const { targets } = await start(
    t,
    [
      { name: 'a.internal', port: 8001 },
      { name: 'a.internal', port: 8002 },
      { name: 'b.internal', port: 80 },
    ],
    { 'a.internal': { A: ['10.0.0.1', '10.0.0.2'] }, 'b.internal': { A: ['10.0.0.3'] } },
  )
  t.same(await targets(), [
    'http://10.0.0.1:8001',
    'http://10.0.0.1:8002',
    'http://10.0.0.2:8001',
    'http://10.0.0.2:8002',
    'http://10.0.0.3',
  ])
})

t.test(
  'of several priorities the lowest counts, and a record that says nowhere does not',
  async (t) => {
    const zones = { 'a.internal': { A: ['10.0.0.1'] }, 'b.internal': { A: ['10.0.0.2'] } }
    const { server, ask, targets } = await start(
      t,
      [
        { name: 'a.internal', port: 1, priority: 2 },
        { name: 'b.internal', port: 2, priority: 1 },
        { name: 'b.internal', port: 0, priority: 1 },
      ],
      zones,
    )
    t.same(await targets(), ['http://10.0.0.2:2'])
    server.serve({ [HOST]: { SRV: [{ name: '', port: 1 }] }, ...zones })
    t.same((await ask()).targets, [])
  },
)

t.test(
  'a certificate is verified by the configured domain, not by what a record says',
  async (t) => {
    const { ask } = await start(
      t,
      [{ name: 'a.evil', port: 443 }],
      { 'a.evil': { A: ['10.0.0.1'] } },
      'https:',
    )
    t.same((await ask()).targets, [{ target: 'https://10.0.0.1', serverName: 'orders.internal' }])
  },
)

t.test(
  'a name that does not answer keeps its addresses for as long as there is a record of it',
  async (t) => {
    const SRV = [
      { name: 'a.internal', port: 1 },
      { name: 'b.internal', port: 2 },
    ]
    const { server, ask, targets } = await start(t, SRV, {
      'a.internal': { A: ['10.0.0.1'] },
      'b.internal': { A: ['10.0.0.2'] },
    })
    await targets()
    server.serve({ [HOST]: { SRV }, 'a.internal': { A: ['10.0.0.9'] } })
    t.match(await ask(), { problem: 'b.internal has no address' })
    t.same(await targets(), ['http://10.0.0.2:2', 'http://10.0.0.9:1'])
    server.serve({ [HOST]: { SRV } })
    await t.rejects(ask(), /a\.internal has no address/, 'when none answers there is no answer')
    server.serve({ [HOST]: { SRV: SRV.slice(0, 1) }, 'a.internal': { A: ['10.0.0.9'] } })
    t.same(await targets(), ['http://10.0.0.9:1'])
  },
)

t.test('U-14 link-local addresses are left out', async (t) => {
  const { ask } = await start(t, [{ name: 'a.internal', port: 80 }], {
    'a.internal': { A: ['169.254.169.254', '10.0.0.1'] },
  })
  t.match(await ask(), {
    targets: [{ target: 'http://10.0.0.1' }],
    leftOut: ['169.254.169.254 is link-local'],
  })
})

t.test('without records there is no answer', async (t) => {
  const { server, ask } = await start(t, [], {})
  await t.rejects(ask(), /ENODATA/)
  server.serve({})
  await t.rejects(ask(), /ENOTFOUND/)
})
