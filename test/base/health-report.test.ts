// What fails is told once, and so is that it is well again.
import t from 'tap'
import { createHealthReport } from '../../src/base/health-report.ts'

t.test('each change is told, and nothing else', async (t) => {
  const told: (string | undefined)[] = []
  const report = createHealthReport((problem) => told.push(problem))
  report.worked()
  t.strictSame(told, [], 'what was always well is nothing to tell')
  report.failed('one')
  report.failed('other')
  report.worked()
  report.worked()
  report.failed('again')
  t.strictSame(told, ['one', undefined, 'again'])
})
