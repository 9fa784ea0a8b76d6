// Changes to a list of fields: what goes, goes in every spelling, and everything else stays as it is.
import t from 'tap'
import {
  compileHeaderEdits,
  editHeaders,
  type HeaderEdits,
  withoutFields,
} from '../../src/http/header-edits.ts'

const edits = compileHeaderEdits({ 'X-Env': 'prod' }, ['x-debug']) as HeaderEdits

t.test('nothing to change is nothing to do', async (t) => {
  t.equal(compileHeaderEdits(), undefined)
  t.equal(compileHeaderEdits({}, []), undefined)
})

t.test('set replaces every form of a name, remove takes every form away', async (t) => {
  const headers = ['X-ENV', 'a', 'x_env', 'b', 'X.Debug', 'c', 'X-Debugger', 'd', 'Accept', 'x-env']
  t.same(editHeaders(headers, edits), [...headers.slice(6), 'x-env', 'prod'])
  t.same(editHeaders([], edits), ['x-env', 'prod'])
})

t.test('fields outside the head only lose', async (t) => {
  t.same(withoutFields(['x-env', 'a', 'X-Sum', 'b'], edits), ['X-Sum', 'b'])
})
