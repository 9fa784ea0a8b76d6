// A name server (RFC 1035) by UDP and TCP on loopback: it answers A, AAAA and SRV as a test says. Long answers are truncated by UDP.
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority?: number
}

export interface Zone {
  readonly A?: readonly string[]
  /** In eight groups, or `::1`. */
  readonly AAAA?: readonly string[]
  readonly SRV?: readonly SrvRecord[]
  /** Seconds; 1 unless it is given. */
  readonly ttl?: number
  /** What it answers in place of AAAA records. */
  readonly failsAAAA?: 'refused'
}

export interface DnsServer {
  /** Address and port. */
  readonly address: string
  /** What names are from now on; a name that is not there does not exist. */
  serve(zones: Readonly<Record<string, Zone>>): void
  /** Answers no more, or REFUSED to everything. */
  fail(how: 'silent' | 'refused'): void
  /** Questions so far. */
  questions(): number
  /** Answers that were given by TCP, being too long. */
  byTcp(): number
  close(): Promise<void>
}

const TYPES: Readonly<Record<number, 'A' | 'AAAA' | 'SRV'>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' }
const MAX_UDP = 512
const REFUSED = 5
const NAME_ERROR = 3

export async function startDnsServer(
  first: Readonly<Record<string, Zone>> = {},
): Promise<DnsServer> {
  let zones = first
  let failing: 'silent' | 'refused' | undefined
  let questions = 0
  let byTcp = 0
  const sockets = new Set<Socket>()

  function answer(question: Buffer): Buffer | undefined {
    questions++
    const { name, type, end } = readQuestion(question)
    if (failing === 'silent') return undefined
    if (failing === 'refused') return toMessage(question, end, [], REFUSED)
    const zone = zones[name.toLowerCase()]
    if (zone === undefined) return toMessage(question, end, [], NAME_ERROR)
    const kind = TYPES[type]
    if (kind === 'AAAA' && zone.failsAAAA) return toMessage(question, end, [], REFUSED)
    const data = kind === undefined ? [] : (zone[kind] ?? []).map((one) => toData(kind, one))
    return toMessage(
      question,
      end,
      data.map((bytes) => toRecord(type, zone.ttl ?? 1, bytes)),
    )
  }

  const tcp = createServer((socket) => {
    sockets.add(socket)
    let bytes: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const size = bytes.readUInt16BE(0)
        const message = answer(bytes.subarray(2, 2 + size))
        bytes = bytes.subarray(2 + size)
        if (message === undefined) continue
        byTcp++
        socket.write(Buffer.concat([toUInt16(message.length), message]))
      }
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (question, from) => {
    const message = answer(question)
    if (message === undefined) return
    const isLong = message.length > MAX_UDP
    const { end } = readQuestion(question)
    udp.send(isLong ? toMessage(question, end, [], 0, true) : message, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))

  return {
    address: `127.0.0.1:${port}`,
    serve(next) {
      zones = next
      failing = undefined
    },
    fail(how) {
      failing = how
    },
    questions: () => questions,
    byTcp: () => byTcp,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => tcp.close(resolve))
      await new Promise<void>((resolve) => udp.close(resolve))
    },
  }
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let size = message[at] ?? 0; size > 0; size = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + size))
    at += 1 + size
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function toMessage(
  question: Buffer,
  end: number,
  records: readonly Buffer[],
  code = 0,
  isTruncated = false,
): Buffer {
  const head = Buffer.alloc(12)
  question.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8180 | code | (isTruncated ? 0x0200 : 0), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  return Buffer.concat([head, question.subarray(12, end), ...records])
}

/** Its name is the question's, by reference. */
function toRecord(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function toData(kind: 'A' | 'AAAA' | 'SRV', record: string | SrvRecord): Buffer {
  if (typeof record !== 'string') return toSrvData(record)
  if (kind === 'A') return Buffer.from(record.split('.').map(Number))
  if (record === '::1') return Buffer.concat([Buffer.alloc(15), Buffer.from([1])])
  return Buffer.concat(record.split(':').map((group) => toUInt16(Number.parseInt(group, 16))))
}

function toSrvData({ name, port, priority = 0 }: SrvRecord): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const host = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`))
  return Buffer.concat([toUInt16(priority), toUInt16(0), toUInt16(port), ...host, Buffer.alloc(1)])
}

function toUInt16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
