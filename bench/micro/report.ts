// The outcome of a run as a table for people and as JSON for comparing runs.
import type { Gate } from './gates.ts'
import { type Measured, median } from './operation.ts'

export interface Report {
  readonly node: string
  readonly nodeFlags: readonly string[]
  /** Node's own, and the one on PATH. */
  readonly openssl: { readonly inNode: string; readonly onPath: string | undefined }
  readonly cpu: string
  readonly cores: number
  readonly loadAverage: number
  readonly date: string
  readonly commit: string | undefined
  readonly rounds: number
  readonly rows: readonly Measured[]
  readonly gates: readonly Gate[]
  readonly notes: readonly string[]
}

export function toTable(report: Report): string {
  const { node, nodeFlags, openssl, cpu, cores, loadAverage, rounds, rows, gates, notes } = report
  const head = ['operation', 'µs/op', 'min', 'max', 'gate']
  const cells = rows.map(({ name, samples }) => [
    name,
    toMicros(median(samples)),
    toMicros(Math.min(...samples)),
    toMicros(Math.max(...samples)),
    gates
      .filter(({ operation }) => operation === name)
      .map(toVerdict)
      .join(', '),
  ])
  return [
    `Node ${node} (${nodeFlags.join(' ') || 'no flags'}, OpenSSL ${openssl.inNode}), on PATH ${openssl.onPath ?? 'no openssl'}`,
    `${cpu}, ${cores} cores, load ${loadAverage.toFixed(1)}; CPU time, medians of ${rounds} interleaved rounds`,
    '',
    ...alignColumns([head, ...cells]),
    '',
    ...notes,
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function toVerdict({ gate, thresholdUs, observedUs, passed }: Gate): string {
  return `${passed ? 'pass' : 'FAIL'}: ${gate} ${toMicros(observedUs)} ≤ ${thresholdUs}`
}

function toMicros(value: number): string {
  return value.toFixed(value < 10 ? 3 : 2)
}

/** Text to the left, figures to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const isFigure = (column: number) => column > 0 && column < widths.length - 1
  return rows.map((row) =>
    row
      .map((cell, i) => (isFigure(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
