// An explanation for people: one line a check, the verdict, and what to change. Nothing that a token says steers a terminal.
import type { Explanation, Verdict } from './explain.ts'
import type { Check } from './step.ts'

const MARKS: Readonly<Record<Check['result'], string>> = { ok: 'ok', no: 'no', info: '- ' }
/** Control, format and unassigned characters, lone surrogates, and what breaks lines. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

export function toText({ steps, verdict, advice }: Explanation): string {
  const all = steps.flatMap(({ checks }) => checks)
  const width = Math.max(...all.map(({ what }) => what.length))
  const decisive = all.find(({ reason }) => reason !== undefined)
  const lines = steps.flatMap(({ title, checks }) => [
    title,
    ...checks.map((check) => {
      const { result, what, detail } = check
      const decides = check === decisive ? '  <- decides' : ''
      return `  ${MARKS[result]}  ${what.padEnd(width)}  ${detail}${decides}`.trimEnd()
    }),
  ])
  lines.push('', toVerdictText(verdict))
  if (advice !== '') lines.push(`to change: ${advice}`)
  return `${lines.map((line) => line.replace(UNPRINTABLE, '?')).join('\n')}\n`
}

function toVerdictText({ status, reason, detail, route, upstream }: Verdict): string {
  const at = route === '' ? '' : ` by route ${route}`
  const to = upstream === '' ? '' : `, forwarded to ${upstream}`
  return reason === '' ? `${status} allowed${at}${to}` : `${status} ${reason}${at}: ${detail}`
}
