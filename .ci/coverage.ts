// Holds the folders that decide to tests of every line, by the summary that the last whole test run left behind.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Summary {
  readonly lines: { readonly total: number; readonly covered: number }
}

const ROOT = join(import.meta.dirname, '..')
const FOLDERS = ['token', 'policy', 'route', 'http']

const summary = JSON.parse(
  readFileSync(join(ROOT, '.tap/report/coverage-summary.json'), 'utf8'),
) as Record<string, Summary>

let missing = 0
for (const folder of FOLDERS) {
  const files = Object.entries(summary).filter(([path]) => path.includes(`/src/${folder}/`))
  const total = files.reduce((sum, [, { lines }]) => sum + lines.total, 0)
  const covered = files.reduce((sum, [, { lines }]) => sum + lines.covered, 0)
  process.stdout.write(`${folder}: ${covered} of ${total} lines in ${files.length} files\n`)
  for (const [path, { lines }] of files) {
    if (lines.covered < lines.total)
      process.stdout.write(`  ${path}: ${lines.total - lines.covered} untested\n`)
  }
  missing += files.length === 0 ? 1 : total - covered
}
process.exitCode = missing === 0 ? 0 : 1
