// Asks a running contender for everything that it must let through and refuse, before anything of it is timed.
// Run by itself (`node bench/check.ts [name…]`) it does so for all of them and prints a table.
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contender, RunningContender } from './contender.ts'
import { contenders } from './contenders/all.ts'
import { type CheckedContender, expectedStatus, REFUSALS, refusedToken } from './refusals.ts'
import { PROXY_CPU } from './scenario.ts'
import { UPSTREAM_BODY } from './upstream.ts'
import { type BenchWorld, createWorld } from './world.ts'

const SPOOFED = 'mallory'
const IDENTITY_HEADERS = ['x-auth-subject', 'x-auth-groups', 'x-auth-client-id']
const UPLOAD = Buffer.alloc(1024 * 1024, 'u')
const ANSWER_LIMIT_MS = 10_000

interface Answer {
  readonly status: number
  readonly body: string
}

/** Starts it, asks it everything and stops it. Problems in words; none means that it is correct. */
export async function checkContender(contender: Contender, bench: BenchWorld): Promise<string[]> {
  try {
    const running = await contender.start(bench.world, { cpus: PROXY_CPU, workers: 1, routes: 0 })
    try {
      return await findProblems(running, contender, bench)
    } finally {
      await running.stop()
    }
  } catch (error) {
    return [(error as Error).message]
  }
}

/** Anchors need only let through. */
async function findProblems(
  running: RunningContender,
  contender: Contender,
  bench: BenchWorld,
): Promise<string[]> {
  const problems = await findForwardingProblems(running.port, bench)
  if (!contender.verifies) return problems
  problems.push(...(await findRefusalProblems(running.port, contender, bench)))
  problems.push(...(await findIdentityProblems(running.port, bench)))
  return problems
}

async function findForwardingProblems(port: number, bench: BenchWorld): Promise<string[]> {
  const [token] = bench.tokens(1)
  // Twice, so that an answer from a token cache is looked at too.
  const answers = [await ask(port, '/', token), await ask(port, '/', token)]
  const problems = answers.flatMap(({ status, body }) =>
    status === 200 && body === UPSTREAM_BODY ? [] : [`good token: ${status} ${excerpt(body)}`],
  )
  const upload = await ask(port, '/upload', token, {}, UPLOAD)
  if (upload.status !== 200) problems.push(`upload: ${upload.status} ${excerpt(upload.body)}`)
  return problems
}

async function findRefusalProblems(
  port: number,
  contender: CheckedContender,
  bench: BenchWorld,
): Promise<string[]> {
  const problems: string[] = []
  for (const refusal of REFUSALS) {
    const expected = expectedStatus(contender, refusal)
    const { status, body } = await ask(port, '/', refusedToken(refusal, bench))
    if (status !== expected)
      problems.push(`${refusal}: ${status} instead of ${expected} ${excerpt(body)}`)
  }
  return problems
}

/** What the upstream is told must come from the token, and nothing from the client. */
async function findIdentityProblems(port: number, bench: BenchWorld): Promise<string[]> {
  const subject = 'bd5e1c5e-0000-4000-8000-00000000beef'
  const token = bench.tokenWith({ sub: subject, username: subject })
  const spoofed = Object.fromEntries(IDENTITY_HEADERS.map((name) => [name, SPOOFED]))
  const { status, body } = await ask(port, '/echo', token, spoofed)
  if (status !== 200) return [`echo: ${status} ${excerpt(body)}`]
  const fields = toFields(JSON.parse(body) as string[])
  const expected = [subject, bench.world.group, bench.world.clientId]
  return IDENTITY_HEADERS.flatMap((name, index) => {
    const values = fields
      .filter(([field]) => field.toLowerCase() === name)
      .map(([, value]) => value)
    const readings = [values[0] ?? '', fromBase64(values[0] ?? '')]
    const isRight = values.length === 1 && readings.some((text) => text.includes(expected[index]!))
    return isRight && !readings.some((text) => text.includes(SPOOFED))
      ? []
      : [`${name}: ${JSON.stringify(values)} instead of ${expected[index]}`]
  })
}

/** Envoy writes a claim that is a list so. */
function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1')
}

function toFields(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : [],
  )
}

function ask(
  port: number,
  path: string,
  token: string | undefined,
  headers: Readonly<Record<string, string>> = {},
  body?: Buffer,
): Promise<Answer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const method = body === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS)
    const options = { port, path, method, signal, headers: { ...headers, ...authorization } }
    const call = request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString('latin1') })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

function excerpt(body: string): string {
  return JSON.stringify(body.slice(0, 120))
}

/** One line per contender. */
async function main(names: readonly string[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-bench-'))
  const bench = await createWorld(dir, String(availableParallelism() - 1))
  try {
    for (const contender of contenders) {
      if (names.length > 0 && !names.includes(contender.name)) continue
      const missing = contender.missing()
      const isHere = missing === undefined
      const problems = isHere ? await checkContender(contender, bench) : [`missing: ${missing}`]
      if (problems.length > 0) process.exitCode = 1
      const version = isHere ? contender.version() : '-'
      const deviations = JSON.stringify(contender.deviations ?? {})
      process.stdout.write(`${contender.name.padEnd(24)} ${version.padEnd(30)} ${deviations}\n`)
      for (const problem of problems) process.stdout.write(`  ! ${problem}\n`)
    }
  } finally {
    await bench.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) await main(process.argv.slice(2))
