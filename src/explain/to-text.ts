// An explanation for people: one line a check, the verdict, and what to change.
import type { Explanation } from './explain.ts'
import type { Check } from './step.ts'

const MARKS: Readonly<Record<Check['result'], string>> = { ok: 'ok', no: 'no', info: '- ' }
const PRINTABLE = /[^ -~\u00a1-\uffff]/g

export function toText({ steps, verdict, advice }: Explanation): string {
  const all = steps.flatMap(({ checks }) => checks)
  const width = Math.max(...all.map(({ what }) => what.length))
  const lines = steps.flatMap(({ title, checks }) => [
    title,
    ...checks.map(({ result, what, detail, reason }) => {
      const decides = reason !== undefined && reason === verdict.reason ? ' <- decides' : ''
      return `  ${MARKS[result]}  ${what.padEnd(width)}  ${detail}${decides}`.trimEnd()
    }),
  ])
  const { status, reason, detail, route } = verdict
  const result = reason === '' ? 'allowed' : reason
  const at = route === '' ? '' : ` by route ${route}`
  lines.push('', `${status} ${result}${at}${detail === '' ? '' : `: ${detail}`}`)
  if (advice !== '') lines.push(`to change: ${advice}`)
  return `${lines.map((line) => line.replace(PRINTABLE, '?')).join('\n')}\n`
}
