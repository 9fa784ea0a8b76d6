// The thresholds that Poolgate is held to, and what a run observed: `node bench/gates.ts results.json…` prints the table.
// A gate whose figure is not in the records says so; it never passes by absence.
import { readFileSync } from 'node:fs'
import type { Report } from './micro/report.ts'
import { findMedian, type Results } from './results.ts'
import { divide, toText } from './table.ts'

interface Gate {
  readonly text: string
  readonly most: number
  readonly digits: number
  readonly unit: string
  observe(results: Results): number | undefined
}

function gate(
  text: string,
  most: number,
  unit: string,
  observe: Gate['observe'],
  digits = 2,
): Gate {
  return { text, most, unit, digits, observe }
}

function cpuAgainst(scenario: string, peer: string): Gate['observe'] {
  return (results) => against(results, scenario, peer, 'cpuUs')
}

function against(
  results: Results,
  scenario: string,
  peer: string,
  key: string,
  own = 'poolgate',
): number | undefined {
  return divide(findMedian(results, scenario, own, key), findMedian(results, scenario, peer, key))
}

function decisionAgainst(peer: string, key: string): Gate['observe'] {
  return (results) => against(results, 'decisions', peer, key, 'nginx-poolgate')
}

function own(scenario: string, key: string): Gate['observe'] {
  return (results) => findMedian(results, scenario, 'poolgate', key)
}

const GATES: readonly Gate[] = [
  gate('hot: CPU against HAProxy jwt_verify', 0.65, '×', cpuAgainst('hot', 'haproxy-jwt')),
  gate(
    'hot: CPU against @fastify/http-proxy + fast-jwt',
    0.7,
    '×',
    cpuAgainst('hot', 'fastify-fast-jwt'),
  ),
  gate('hot: CPU against Envoy jwt_authn', 1, '×', cpuAgainst('hot', 'envoy-jwt')),
  gate('hot: CPU against HAProxy without auth (stretch 2.3)', 3, '×', cpuAgainst('hot', 'haproxy')),
  gate('hot: user instructions a request', 125, 'k', own('hot', 'kinstr'), 0),
  gate('cold: CPU against HAProxy jwt_verify', 1.25, '×', cpuAgainst('cold', 'haproxy-jwt')),
  gate(
    'cold: CPU against @fastify/http-proxy + aws-jwt-verify',
    0.55,
    '×',
    cpuAgainst('cold', 'fastify-aws-jwt-verify'),
  ),
  gate('cold verify above crypto.verify', 3, 'µs', own('verify', 'coldVerifyExtraUs')),
  gate('verified look-up on a fresh string', 0.5, 'µs', own('verify', 'lookUpUs')),
  gate('added p50 at 5,000 req/s against HAProxy jwt_verify', 0.75, '×', (results) =>
    against(results, 'latency', 'haproxy-jwt', 'addedP50Us'),
  ),
  gate('added p99 at 5,000 req/s against HAProxy jwt_verify', 2, '×', (results) =>
    against(results, 'latency', 'haproxy-jwt', 'addedP99Us'),
  ),
  gate('1 GiB down: CPU against HAProxy', 1.2, '×', (results) =>
    against(results, 'stream', 'haproxy', 'downCpuS'),
  ),
  gate('1 GiB up: CPU against HAProxy', 3, '×', (results) =>
    against(results, 'stream', 'haproxy', 'upCpuS'),
  ),
  gate(
    'good p99 beside 20,000 unknown kids a second, against none',
    3,
    '×',
    own('flood', 'unknownKidTimes'),
  ),
  gate(
    'good p99 beside 20,000 bad signatures a second, against none',
    3,
    '×',
    own('flood', 'badSignatureTimes'),
  ),
  gate('good requests refused beside a flood', 0, '', own('flood', 'refused'), 0),
  gate('1,000 routes: CPU against 10', 1.05, '×', observeRoutes, 3),
  gate('RSS under load', 160, 'MiB', observeLoadedRss, 0),
  gate(
    'RSS in the last quarter of ten minutes against the second',
    1.05,
    '×',
    own('soak', 'growth'),
    3,
  ),
  ...['nginx-aws-jwt-verify', 'nginx-fastify-fast-jwt'].flatMap((peer) => [
    gate(`decisions: CPU against ${peer}`, 1, '×', decisionAgainst(peer, 'cpuUs')),
    gate(`decisions: p50 against ${peer}`, 1, '×', decisionAgainst(peer, 'p50Us')),
  ]),
  gate('memory of an idle connection', 20, 'KiB', own('idle', 'kibPerConnection'), 1),
]

function observeRoutes(results: Results): number | undefined {
  const few = findMedian(results, 'routes', 'poolgate, 10 routes', 'cpuUs')
  return divide(findMedian(results, 'routes', 'poolgate, 1000 routes', 'cpuUs'), few)
}

/** The largest that any record shows. */
function observeLoadedRss(results: Results): number | undefined {
  const readings = [
    own('hot', 'rssMiB')(results),
    own('start', 'loadedRssMiB')(results),
    own('soak', 'maxRssMiB')(results),
  ].filter((reading) => reading !== undefined)
  return readings.length === 0 ? undefined : Math.max(...readings)
}

/** A record of `bench:verify`, whose gates are judged there already. */
function fromMicro({ gates, date, commit, node, cpu, cores }: Report): Results {
  const observed = (name: string) =>
    gates.find(({ gate }) => gate === name)?.observedUs ?? Number.NaN
  const medians = {
    lookUpUs: observed('a known token'),
    coldVerifyExtraUs: observed('above crypto.verify'),
  }
  const rows = [{ name: 'poolgate', rounds: [], medians }]
  const verify = { name: 'verify', title: 'single functions', columns: [], rows }
  const machine = { cpu, cpus: cores, memoryGiB: 0, kernel: '' }
  const empty = {
    rounds: 0,
    secondsPerRound: 0,
    versions: {},
    missing: {},
    incorrect: {},
    broken: {},
  }
  return { date, commit: commit ?? 'unknown', node, machine, ...empty, scenarios: { verify } }
}

function readRecord(file: string): Results {
  const record: Results | Report = JSON.parse(readFileSync(file, 'utf8'))
  return 'gates' in record ? fromMicro(record) : record
}

/** A row of Markdown; of several records the last one that has the figure counts. */
function toLine({ text, most, unit, digits, observe }: Gate, all: readonly Results[]): string {
  const results = all.findLast((one) => observe(one) !== undefined)
  const value = results === undefined ? undefined : observe(results)
  const threshold = most === 0 ? 'none' : `≤ ${most} ${unit}`
  if (results === undefined || value === undefined || Number.isNaN(value)) {
    return `| ${text} | ${threshold} | not measured | | | |`
  }
  const observed = `${toText(value, digits)} ${unit}`.trim()
  const { commit, node, machine } = results
  const place = [`${machine.cpus} × ${machine.cpu}`, machine.kernel].filter(Boolean).join(', ')
  const verdict = value <= most ? observed : `**${observed}**, missed`
  return `| ${text} | ${threshold} | ${verdict} | ${commit} | ${node.replace('v', '')} | ${place} |`
}

export function toGateTable(all: readonly Results[]): string {
  const head = [
    '| gate | threshold | observed | commit | Node | machine |',
    '|---|--:|--:|---|---|---|',
  ]
  return [...head, ...GATES.map((one) => toLine(one, all)), ''].join('\n')
}

if (import.meta.main) {
  const files = process.argv.slice(2)
  process.stdout.write(toGateTable(files.map(readRecord)))
}
