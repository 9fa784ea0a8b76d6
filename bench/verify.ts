// `npm run bench:verify`: what verifying a token, and each other step of a request, costs in CPU microseconds.
// Checks that everything it times gives right answers, before and after; a wrong one ends the run.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { createAwsSteps } from './micro/aws-steps.ts'
import { differences, judge } from './micro/gates.ts'
import { findOpenssl, timeOpensslVerify } from './micro/openssl.ts'
import {
  type Measured,
  measureInTurn,
  median,
  type Operation,
  type Rounds,
} from './micro/operation.ts'
import { loadFastJwt } from './micro/peers.ts'
import { type Report, toTable } from './micro/report.ts'
import {
  createAccessLines,
  createDecision,
  createHeaderBuilders,
  createRouteMatches,
  routeTableOf,
} from './micro/request-path.ts'
import { createTokenSupply } from './micro/token-supply.ts'
import { createLookUps, createVerifications } from './micro/verifications.ts'

const USAGE = `npm run bench:verify -- [--quick] [--json FILE]

  --quick      fewer tokens and rounds, about 15 seconds; good for a look, not for a claim
  --json FILE  writes every round's figures as JSON as well
  --help       this text

A gate that fails is told in the table; the exit code is 1 only when something gave a wrong answer.
`

const FULL = {
  tokens: 12_000,
  cacheEntries: 10_000,
  verifications: 4_000,
  lookUps: 200_000,
  steps: 200_000,
  heads: 10_000,
  signatures: 4_000,
  users: 10_000,
  opensslSeconds: 3,
  rounds: { warmUp: 3, counted: 9 },
}

const QUICK = {
  tokens: 3_000,
  cacheEntries: 2_000,
  verifications: 1_000,
  lookUps: 100_000,
  steps: 100_000,
  heads: 5_000,
  signatures: 2_000,
  users: 10_000,
  opensslSeconds: 1,
  rounds: { warmUp: 3, counted: 7 },
}

async function run(sizes: typeof FULL): Promise<Report> {
  progress(`making ${sizes.tokens} tokens`)
  const supply = createTokenSupply(sizes.tokens)
  const fastJwt = await loadFastJwt(supply)
  const operations = [
    ...(await createLookUps(supply, sizes, fastJwt)),
    ...(await createVerifications(supply, sizes, fastJwt)),
    await createDecision(supply, sizes),
    ...(await createRouteMatches(supply, sizes)),
    ...(await createHeaderBuilders(supply, sizes)),
    createAccessLines(sizes),
    ...(await createAwsSteps(sizes)),
  ]
  await checkAll(operations)
  const openssl = findOpenssl()
  const limit: number[] = []
  const { measured, checksum } = await measureInTurn(operations, sizes.rounds, (round) => {
    progress(toProgress(round, sizes.rounds))
    if (openssl && round >= 0 && round % 3 === 0)
      limit.push(timeOpensslVerify(sizes.opensslSeconds))
  })
  await checkAll(operations)
  progress('')
  const rows: Measured[] = [...measured]
  if (openssl) rows.push({ name: 'openssl speed, rsa2048 verify', samples: limit })
  const added = median(differences(measured, routeTableOf(1_000), routeTableOf(10)))
  return {
    ...describeMachine(openssl),
    rounds: sizes.rounds.counted,
    rows,
    gates: judge(measured),
    notes: [
      ...(openssl ? [] : ['SKIPPED: openssl is not on PATH']),
      ...(fastJwt ? [] : ['SKIPPED: fast-jwt is not installed; bench/setup.sh does that']),
      `a route table of 1,000 instead of 10 adds ${added.toFixed(3)} µs to a request`,
      `checksum ${checksum}`,
    ],
  }
}

async function checkAll(operations: readonly Operation[]): Promise<void> {
  for (const { name, check } of operations) {
    const problems = await check()
    if (problems.length > 0) throw new Error(`${name}: ${problems.join('; ')}`)
  }
}

function describeMachine(openssl: string | undefined) {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  })
  return {
    node: process.versions.node,
    nodeFlags: process.execArgv,
    openssl: { inNode: process.versions.openssl ?? '', onPath: openssl },
    cpu: cpus()[0]?.model ?? '',
    cores: cpus().length,
    loadAverage: loadavg()[0] ?? 0,
    date: new Date().toISOString(),
    commit: status === 0 ? stdout.trim() : undefined,
  }
}

function toProgress(round: number, { warmUp, counted }: Rounds): string {
  return round < 0 ? `warming up, ${-round} of ${warmUp} to go` : `round ${round + 1} of ${counted}`
}

/** One line that is written over; nothing where nobody watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function parseOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return undefined
  }
}

const options = parseOptions()
if (options === undefined) {
  process.exitCode = 2
} else if (options.help) {
  process.stdout.write(USAGE)
} else {
  const report = await run(options.quick ? QUICK : FULL)
  process.stdout.write(toTable(report))
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true })
    writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
}
