// Which variables of the environment are ours to know, and what is said of the others.
import t from 'tap'
import { problemOf, toUnknownMessage, unknownVariables } from '../../src/cli/variables.ts'

const KNOWN = ['POOLGATE_GROUP', 'POOLGATE_ADMIN', 'POOLGATE_TOKEN_USE']

t.test('names that begin like ours are ours to know', async (t) => {
  const env = {
    POOLGATE_GROUP: 'x',
    POOLGATE_GROUPS: 'x',
    poolgate_x: '',
    PATH: '/',
    XPOOLGATE_: '',
  }
  t.same(unknownVariables(env, KNOWN), ['POOLGATE_GROUPS', 'poolgate_x'])
  t.same(unknownVariables({ POOLGATE_X: undefined }, KNOWN), [])
})

t.test('what Kubernetes sets for a Service of this name is no mistake', async (t) => {
  const links = {
    POOLGATE_SERVICE_HOST: '10.0.0.1',
    POOLGATE_SERVICE_PORT: '80',
    POOLGATE_SERVICE_PORT_HTTP: '80',
    POOLGATE_PORT: 'tcp://10.0.0.1:80',
    POOLGATE_PORT_80_TCP: 'tcp://10.0.0.1:80',
    POOLGATE_PORT_80_TCP_PROTO: 'tcp',
    POOLGATE_PORT_80_TCP_PORT: '80',
    POOLGATE_PORT_80_TCP_ADDR: '10.0.0.1',
    POOLGATE_ADMIN_API_SERVICE_HOST: '10.0.0.2',
    POOLGATE_ADMIN_API_PORT: 'tcp://10.0.0.2:80',
  }
  t.same(unknownVariables(links, KNOWN), [])
  const mistakes = { POOLGATE_PORT: '8080', POOLGATE_SERVICE: 'x', POOLGATE_PORT_80: 'x' }
  t.same(unknownVariables(mistakes, KNOWN), Object.keys(mistakes))
})

t.test('the nearest name is suggested, and only a near one', async (t) => {
  t.equal(
    toUnknownMessage('POOLGATE_GROUPS', KNOWN),
    'nothing reads this variable; did you mean "POOLGATE_GROUP"?',
  )
  t.equal(
    toUnknownMessage('POOLGATE_READER_TOKEN', KNOWN),
    `nothing reads this variable; there are ${KNOWN.join(', ')}`,
  )
})

t.test('a problem has a place, whatever it is', async (t) => {
  t.same(problemOf('(flags)', '--group', 'no'), {
    file: '(flags)',
    line: 1,
    column: 1,
    path: '--group',
    message: 'no',
    snippet: '',
  })
})
