// The chart that README shows: CPU time of a request, hot and cold, as a multiple of HAProxy without verification.
// Run by itself (`node bench/chart.ts results.json [chart.svg]`) it draws a kept record.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findMedian, readResults, type Results } from './results.ts'
import { divide } from './table.ts'

const ANCHOR = 'haproxy'
const DEFAULT_FILE = join(import.meta.dirname, 'results', 'hot-path.svg')
const SCENARIOS = [
  { name: 'hot', label: 'token known' },
  { name: 'cold', label: 'token new' },
] as const

const WIDTH = 760
const LABEL_WIDTH = 190
const VALUE_WIDTH = 60
const BAR = 12
const ROW = 38
const TOP = 64

interface Bars {
  readonly name: string
  /** In the order of SCENARIOS. */
  readonly multiples: readonly (number | undefined)[]
}

/** Gives the file's path, or undefined when hot and cold were not both measured. */
export function writeChart(results: Results, file = DEFAULT_FILE): string | undefined {
  const all = toBars(results)
  if (all.length === 0) return undefined
  writeFileSync(file, toSvg(all, results))
  return file
}

function toBars(results: Results): Bars[] {
  const names = results.scenarios.hot?.rows.map(({ name }) => name) ?? []
  const multipleOf = (name: string, scenario: string) =>
    divide(
      findMedian(results, scenario, name, 'cpuUs'),
      findMedian(results, scenario, ANCHOR, 'cpuUs'),
    )
  return names
    .map((name) => ({ name, multiples: SCENARIOS.map((one) => multipleOf(name, one.name)) }))
    .filter(({ multiples }) => multiples.every((multiple) => multiple !== undefined))
    .sort((a, b) => a.multiples[0]! - b.multiples[0]!)
}

function toSvg(all: readonly Bars[], { commit, node, machine, date }: Results): string {
  const height = TOP + all.length * ROW + 30
  const longest = Math.max(...all.flatMap(({ multiples }) => multiples.map(Number)))
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest
  const footer = `${date.slice(0, 10)} · ${commit} · Node ${node} · one core of ${machine.cpu} · lower is better`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="CPU time per request, as a multiple of HAProxy without verification">
<style>
text { fill: #1f2328 } .quiet { fill: #59636e } .s0 { fill: #0969da } .s1 { fill: #9a6700 } .own { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .quiet { fill: #9198a1 } .s0 { fill: #4493f8 } .s1 { fill: #d29922 } }
</style>
<text x="0" y="16" font-size="15" font-weight="600">CPU time per request, × HAProxy without verification</text>
${SCENARIOS.map(({ label }, index) => toLegend(label, index)).join('\n')}
${all.map((bars, row) => toRow(bars, TOP + row * ROW, scale)).join('\n')}
<text class="quiet" x="0" y="${height - 6}" font-size="11">${escapeXml(footer)}</text>
</svg>
`
}

function toLegend(label: string, index: number): string {
  const x = LABEL_WIDTH + index * 130
  return `<rect class="s${index}" x="${x}" y="32" width="12" height="12" rx="2"/><text x="${x + 18}" y="43">${label}</text>`
}

function toRow({ name, multiples }: Bars, y: number, scale: number): string {
  const own = name.startsWith('poolgate') ? ' class="own"' : ''
  const bars = multiples.map((multiple, index) => {
    const top = y + index * (BAR + 2)
    const width = Math.max(1, multiple! * scale)
    return `<rect class="s${index}" x="${LABEL_WIDTH}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/><text class="quiet" x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${top + 10}" font-size="11">${multiple!.toFixed(2)}</text>`
  })
  const label = `<text${own} x="${LABEL_WIDTH - 10}" y="${y + BAR + 5}" text-anchor="end">${escapeXml(name)}</text>`
  return [label, ...bars].join('')
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

if (import.meta.main) {
  const [from, to] = process.argv.slice(2)
  const written = from === undefined ? undefined : writeChart(readResults(from), to)
  process.stdout.write(`${written ?? 'usage: node bench/chart.ts results.json [chart.svg]'}\n`)
  if (written === undefined) process.exitCode = 2
}
