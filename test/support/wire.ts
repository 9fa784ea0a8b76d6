// The wire gate: cases are sent byte for byte to running gateways whose upstreams record what arrives, many at a time.
import { connect } from 'node:net'
import type { Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { normaliseFieldName } from '../../src/http/headers.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { realClock } from './real-clock.ts'
import {
  type RecordingUpstream,
  type SeenRequest,
  startRecordingUpstream,
} from './recording-upstream.ts'

/** A gateway with one public route for everything, before an upstream of its own. */
export interface Lane {
  readonly origin: string
  readonly upstream: RecordingUpstream
}

export interface Answer {
  readonly status: number
  readonly head: string
  /** As it came, chunks and all. */
  readonly body: string
  readonly complete: boolean
}

export interface Outcome {
  /** Final responses, without that to the closing request. */
  readonly answers: readonly Answer[]
  readonly statuses: readonly number[]
  /** Everything that came back, one character a byte. */
  readonly text: string
  /**
   * How the connection stood after the last step: `closed` by the gateway, `waiting` for more bytes of the client, `in_sync`
   * when a further plain request was answered as such, `out_of_sync` when it was not.
   */
  readonly state: 'closed' | 'waiting' | 'in_sync' | 'out_of_sync'
  /** What the upstream got, without the closing request. */
  readonly seen: readonly SeenRequest[]
}

export interface Wire {
  /** Runs the work once for each case, as many at a time as there are gateways; results in the order of the cases. */
  each<C, R>(cases: readonly C[], work: (lane: Lane, item: C) => Promise<R>): Promise<R[]>
}

const CLOSING_TARGET = '/closing-request'
const CLOSING = `GET ${CLOSING_TARGET} HTTP/1.1\r\nHost: probe.test\r\nConnection: close\r\n\r\n`

export async function startWire(
  t: Test,
  options: { lanes?: number; more?: string } = {},
): Promise<Wire> {
  const { lanes: count = 24, more = '' } = options
  const lanes = await Promise.all(Array.from({ length: count }, () => startLane(t, more)))
  return {
    async each(cases, work) {
      const results: Awaited<ReturnType<typeof work>>[] = []
      let next = 0
      const drive = async (lane: Lane) => {
        for (let i = next++; i < cases.length; i = next++) {
          results[i] = await work(lane, cases[i] as (typeof cases)[number])
        }
      }
      await Promise.all(lanes.map(drive))
      return results
    },
  }
}

async function startLane(t: Test, more: string): Promise<Lane> {
  const upstream = await startRecordingUpstream()
  const config = `version: 1
listen: 127.0.0.1:0
admin: none
${more}
upstreams:
  up: {targets: ['${upstream.origin}']}
routes:
  - {name: all, match: {path: /*}, access: public, upstream: up}
`
  const gateway = createGateway(loadConfig(config, 'test.yaml', {}), {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: () => undefined },
  })
  const { origin } = await gateway.start()
  t.teardown(async () => {
    const stopping = gateway.stop()
    void gateway.stop()
    await stopping
    await upstream.close()
  })
  return { origin, upstream }
}

/** Sends the steps, each once the one before is answered, then a closing request, and tells what came of it. */
export async function exchange(
  { origin, upstream }: Lane,
  steps: readonly (string | Buffer)[],
): Promise<Outcome> {
  upstream.take()
  const client = await connectClient(
    origin,
    steps[0]?.toString('latin1').startsWith('HEAD ') ?? false,
  )
  let state: Outcome['state'] | undefined
  for (const [i, step] of steps.entries()) {
    client.send(step)
    await client.settled(() => client.answers().length > i)
    if (client.closed()) state = 'closed'
    else if (client.answers().length <= i) state = 'waiting'
    if (state !== undefined) break
  }
  if (state === undefined) {
    client.send(CLOSING)
    await client.settled(() => false)
    const isAnswered = client.answers().some(({ head }) => head.includes(CLOSING_TARGET))
    state = isAnswered ? 'in_sync' : client.closed() ? 'closed' : 'out_of_sync'
  }
  const answers = client.answers().filter(({ head }) => !head.includes(CLOSING_TARGET))
  const text = client.text()
  await client.end()
  const seen = upstream.take().filter(({ target }) => target !== CLOSING_TARGET)
  return { text, state, seen, answers, statuses: answers.map(({ status }) => status) }
}

/** Loop turns without a byte after which nobody has more to say; a request through the gateway takes about eight. */
const QUIET_TURNS = 16
const TURN_MS = 16

interface Client {
  send(bytes: string | Buffer): void
  text(): string
  answers(): readonly Answer[]
  closed(): boolean
  /** Resolves when `enough` says so, when the other side closes, or when all has gone quiet. */
  settled(enough: () => boolean): Promise<void>
  /** Ends this side and resolves once the other has ended too. */
  end(): Promise<void>
}

async function connectClient(origin: string, isHead: boolean): Promise<Client> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  let [text, closed, quiet] = ['', false, 0]
  let changed = () => {}
  const onClosed = () => {
    closed = true
    changed()
  }
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    quiet = 0
    changed()
  })
  socket.on('end', onClosed).on('close', onClosed)
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.on('connect', resolve))
  const settled = async (enough: () => boolean) => {
    for (quiet = 0; quiet < QUIET_TURNS && !closed && !enough(); quiet++) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, TURN_MS)
        changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  return {
    send: (bytes) => void socket.write(bytes, 'latin1'),
    text: () => text,
    answers: () => parseAnswers(text, isHead),
    closed: () => closed,
    settled,
    async end() {
      socket.end()
      await settled(() => false)
      socket.destroy()
    },
  }
}

/** Every final response of a connection whose head is there, one after the other. */
export function parseAnswers(text: string, isHead: boolean): Answer[] {
  const answers: Answer[] = []
  for (let at = 0; ;) {
    const match = /^HTTP\/1\.1 (\d{3})[\s\S]*?\r\n\r\n/.exec(text.slice(at))
    if (match === null) return answers
    const [head, code] = match
    const status = Number(code)
    at += head.length
    if (status < 200) continue
    const isBare = isHead || status === 204 || status === 304
    const length = /^content-length: *(\d+) *\r$/im.exec(head)?.[1] ?? 0
    const chunked = /^transfer-encoding: chunked\r$/im.test(head)
    const rest = text.slice(at)
    const taken = isBare ? 0 : chunked ? chunkedLength(rest) : Number(length)
    const complete = taken <= rest.length
    answers.push({ status, head, body: isBare ? '' : rest.slice(0, taken), complete })
    if (!complete) return answers
    at += taken
  }
}

/** Characters up to the end of the last chunk; Infinity when it is not there. */
function chunkedLength(text: string): number {
  for (let at = 0; ;) {
    const size = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 20))
    if (size === null) return Infinity
    at += size[0].length + parseInt(size[1] as string, 16) + 2
    if (size[1] === '0') return at
  }
}

/** Names that no client can make an upstream see: hop-by-hop fields, and whatever could pass for Poolgate's own. */
const NEVER = /^(?:te|trailer|upgrade|expect|keep-alive|proxy-.*|http2-settings|x-auth-.*)$/
const ONCE = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id']

/** What must hold whatever was sent; each breach in words. `requests`: how many a strict reader would find at most. */
export function findBreaches(
  sent: readonly (string | Buffer)[],
  { seen, text, statuses }: Outcome,
  requests: number,
): string[] {
  const answered = statuses.filter((status) => status < 400).length
  const complete = seen.filter((request) => request.complete)
  return [
    ...(seen.length > requests ? [`${seen.length} requests arrived, ${requests} were sent`] : []),
    ...(complete.length > answered + 1 ? [`${complete.length} arrived, ${answered} answered`] : []),
    ...(/HTTP\/1\.1 101/.test(text) ? ['the protocol was switched'] : []),
    ...seen.flatMap((request) => findRequestBreaches(sent, request)),
  ]
}

function findRequestBreaches(
  sent: readonly (string | Buffer)[],
  { target, headers, problem }: SeenRequest,
): string[] {
  const names = headers.filter((_, i) => i % 2 === 0).map(normaliseFieldName)
  const written = sent.map((bytes) => bytes.toString('latin1')).join('')
  return [
    ...(problem === undefined ? [] : [problem]),
    ...(target.includes('smuggled') ? ['a smuggled request arrived'] : []),
    ...(canonicalTargets(written).has(target) ? [] : [`nobody wrote the target ${target}`]),
    ...('refused' in parseRequestTarget(target, 'a') ? [`the target ${target} is ambiguous`] : []),
    ...headers.filter((name, i) => i % 2 === 0 && name.includes('_')),
    ...names.filter((name) => NEVER.test(name)),
    ...ONCE.filter((name) => names.filter((other) => other === name).length !== 1),
  ]
}

/** Every target of the written request lines, in origin form. */
function canonicalTargets(written: string): Set<string> {
  const targets = [...written.matchAll(/^[^\s]+ ([^\s]+) HTTP\/1\.[01]\r$/gm)].map((match) => {
    const rest = (match[1] as string).replace(/^https?:\/\/[^/?#]*/i, '')
    return rest.startsWith('/') ? rest : `/${rest}`
  })
  return new Set(targets)
}
