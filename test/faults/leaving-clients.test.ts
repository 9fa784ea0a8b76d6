// Clients that leave, ten thousand times in all and at every stage of a request: the upstream hears of it at once, and nothing is left.
import type { Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startFaultGateway } from '../support/fault-gateway.ts'
import { inLanes, quantile } from '../support/many-requests.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'

/** With either engine. */
const ROUNDS = 5_000
const WARM_UP = 5_000
const LANES = 8

const STAGES = [
  { name: 'head', sent: (key: string) => `GET /up/download/${key} HTTP/1.1\r\nHost: a\r\nX-Half` },
  {
    name: 'upload',
    sent: (key: string) =>
      `POST /up/wait/${key} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(5_000)}`,
  },
  { name: 'waiting', sent: (key: string) => `GET /up/wait/${key} HTTP/1.1\r\nHost: a\r\n\r\n` },
  {
    name: 'download',
    sent: (key: string) => `GET /up/download/${key} HTTP/1.1\r\nHost: a\r\n\r\n`,
  },
]

for (const engine of ['lean', 'undici']) {
  t.test(`R-11 ${engine}: ${ROUNDS} clients that leave leave nothing behind`, async (t) => {
    const asked = new Map<string, (socket: Socket) => void>()
    const upstream = await startRawUpstream((socket, head) => {
      const [, what, key = ''] = /^\S+ \/up\/(\w+)\/(\w+)/.exec(head) ?? []
      asked.get(key)?.(socket)
      if (what === 'download')
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(50_000)}`)
    })
    t.teardown(upstream.close)
    const gate = await startFaultGateway(t, {
      up: `targets: ['${upstream.origin}'], engine: ${engine}`,
    })
    const delays: number[] = []
    const leave = async (round: number) => {
      const { name, sent } = STAGES[round % STAGES.length] as (typeof STAGES)[number]
      const key = String(round)
      const client = await connectRaw(gate.origin)
      const begun = new Promise<Socket>((resolve) => asked.set(key, resolve))
      const answered = new Promise((resolve) => client.socket.once('data', resolve))
      client.send(sent(key))
      if (name !== 'head') {
        const socket = await begun
        if (name === 'download') await answered
        const closed = new Promise((resolve) => socket.once('close', resolve))
        const left = performance.now()
        if (round % 8 < 4) client.socket.resetAndDestroy()
        else client.socket.destroy()
        await closed
        delays.push(performance.now() - left)
        asked.delete(key)
      } else client.socket.destroy()
    }
    const handles = gate.handles()
    await inLanes(WARM_UP, LANES, leave)
    await gate.idle()
    const before = gate.memory()
    delays.length = 0
    await inLanes(ROUNDS, LANES, (round) => leave(WARM_UP + round))
    await gate.idle()
    const [most, longest] = [quantile(delays, 0.95), Math.max(...delays)]
    const growth = gate.memory() / before - 1
    t.comment(
      `heard within ${most.toFixed(0)} ms (95 %), ${longest.toFixed(0)} ms; memory ${(growth * 100).toFixed(1)} %`,
    )
    t.equal(delays.length, (ROUNDS * 3) / 4)
    // The rest is for a busy machine, on which this process too may be late.
    t.ok(most <= 100, `the upstream hears of it within ${most} ms`)
    t.ok(longest <= 2_000, `${longest} ms at the longest`)
    // Within 5 % where nothing else goes on; a collection that is due makes up to 7 %.
    t.ok(growth <= 0.1, `${(growth * 100).toFixed(1)} % more memory`)
    await eventually('no connection to the upstream', () => upstream.open() === 0)
    await eventually('no handle more than before', () => gate.handles() <= handles + 2)
    t.notMatch(gate.stderr(), /^(?!warning: ).+/m, 'nothing unhandled')
    t.notOk(
      gate.lines().some(({ level }) => level === 'error'),
      'no error in the log',
    )
  })

  t.test(
    `R-11 ${engine}: a client that resets while its upload is held back is seen to`,
    async (t) => {
      const held: Socket[] = []
      const upstream = await startRawUpstream((socket) => held.push(socket.pause()))
      t.teardown(upstream.close)
      const gate = await startFaultGateway(t, {
        up: `targets: ['${upstream.origin}'], engine: ${engine}`,
      })
      const delays: number[] = []
      for (let round = 0; round < 4; round++) {
        const { socket, send } = await connectRaw(gate.origin)
        send('POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n')
        send(Buffer.alloc(40_000_000))
        let sent = -1
        await eventually('the upload to be held back', async () => {
          const before = sent
          await new Promise((resolve) => setTimeout(resolve, 100))
          sent = socket.bytesWritten - socket.writableLength
          return held.length > round && sent === before
        })
        const left = performance.now()
        socket.resetAndDestroy()
        await gate.idle()
        delays.push(performance.now() - left)
      }
      t.comment(`heard within ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms`)
      // Unprobed it is the time-out of the response, a minute later; the rest is for a busy machine.
      t.ok(Math.max(...delays) <= 2_000)
      const aborted = () => gate.lines().filter(({ outcome }) => outcome === 'client_aborted')
      await eventually('it to be logged', () => aborted().length === 4)
      for (const socket of held) socket.resume()
      await eventually('no connection to the upstream', () => upstream.open() === 0)
    },
  )
}
