// How problems and paths read.
import t from 'tap'
import { ConfigError, toPathText, toProblemText } from '../../src/config/problem.ts'

const PROBLEM = {
  file: 'c.yaml',
  line: 8,
  column: 14,
  path: 'routes[0].timeout',
  message: 'expected a duration',
  snippet: '    8 | x\n      | ^',
}

t.test('a problem reads FILE:LINE:COL: path: message, with the snippet below', async (t) => {
  t.equal(
    toProblemText(PROBLEM),
    'c.yaml:8:14: routes[0].timeout: expected a duration\n    8 | x\n      | ^',
  )
})

t.test('a problem of the file as a whole has no path and may have no snippet', async (t) => {
  t.equal(toProblemText({ ...PROBLEM, path: '', snippet: '' }), 'c.yaml:8:14: expected a duration')
})

t.test('the error holds every problem and its message shows them all', async (t) => {
  const error = new ConfigError([PROBLEM, { ...PROBLEM, line: 9 }])
  t.equal(error.problems.length, 2)
  t.match(error.message, /c\.yaml:8:14[\s\S]*c\.yaml:9:14/)
  t.equal(error.name, 'ConfigError')
})

t.test('paths read as people write them', async (t) => {
  t.equal(toPathText([]), '')
  t.equal(toPathText(['routes', 0, 'match', 'path']), 'routes[0].match.path')
  t.equal(toPathText(['claims', 'custom:tenant', 1]), 'claims["custom:tenant"][1]')
  t.equal(toPathText(['identityHeaders', 'x-auth-email']), 'identityHeaders.x-auth-email')
})
