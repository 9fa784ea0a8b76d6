// Results as text: one table for each scenario, with multiples of the anchors of the same run.
import type { Results, ScenarioResult } from './results.ts'
import type { Column, Row } from './scenario.ts'

const DISTURBED = 0.1
const ANCHORS = ['haproxy', 'haproxy-jwt']

export function toTables(results: Results): string {
  const { machine } = results
  const parts = [
    `Poolgate ${results.commit} · Node ${results.node} · ${machine.cpus} × ${machine.cpu} · Linux ${machine.kernel}`,
    `medians of ${results.rounds} rounds of ${results.secondsPerRound} s, contenders in turn`,
    ...Object.entries(results.missing).map(([name, why]) => `missing: ${name} — ${why}`),
    ...Object.entries(results.incorrect).map(
      ([name, problems]) => `incorrect, not measured: ${name} — ${excerpt(problems.join('; '))}`,
    ),
    ...Object.entries(results.broken).map(([name, why]) => `broken off: ${name} — ${excerpt(why)}`),
  ]
  const tables = Object.values(results.scenarios).map(toTable)
  return `${[parts.join('\n'), ...tables].join('\n\n')}\n`
}

export function toTable({ name, title, columns, rows }: ScenarioResult): string {
  const header = ['', ...columns.flatMap((column) => [column.label, ...anchorLabels(column, rows)])]
  const lines = rows.map((row) => [
    row.name,
    ...columns.flatMap((column) => toCells(row, column, rows)),
  ])
  const problems = rows.flatMap((row) =>
    row.problem === undefined ? [] : [`! ${row.name}: ${excerpt(row.problem)}`],
  )
  return [`${name}: ${title}`, ...align([header, ...lines]), ...problems, ...warnings(rows)].join(
    '\n',
  )
}

/** The record has it all. */
function excerpt(problem: string): string {
  return problem.replaceAll(/\s+/g, ' ').slice(0, 200)
}

/** Two programs on one core slow each other down by more than their shares. */
function warnings(rows: readonly Row[]): string[] {
  const share = Math.max(0, ...rows.map(({ medians }) => medians.otherShare ?? 0))
  return share > DISTURBED
    ? [
        `! other work took up to ${Math.round(share * 100)} % of the contenders' core: run it again when the machine is quiet`,
      ]
    : []
}

function anchorLabels(column: Column, rows: readonly Row[]): string[] {
  return column.ratio === true ? anchorsIn(rows).map(({ name }) => `× ${name}`) : []
}

function anchorsIn(rows: readonly Row[]): Row[] {
  return ANCHORS.flatMap((anchor) => rows.filter(({ name }) => name === anchor))
}

function toCells(row: Row, column: Column, rows: readonly Row[]): string[] {
  const value = row.problem === undefined ? row.medians[column.key] : undefined
  const ratios = column.ratio === true ? anchorsIn(rows) : []
  return [
    toText(value, column.digits),
    ...ratios.map(({ medians }) => toText(divide(value, medians[column.key]), 2)),
  ]
}

export function divide(value: number | undefined, by: number | undefined): number | undefined {
  return value === undefined || by === undefined || by === 0 ? undefined : value / by
}

export function toText(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits)
}

/** The first column to the left, figures to the right. */
function align(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)))
  return lines.map((line) =>
    line
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!)))
      .join('  '),
  )
}
