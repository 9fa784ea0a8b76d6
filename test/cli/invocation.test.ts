// The words that call this program, each as a shell finds it.
import t from 'tap'
import { toInvocation } from '../../src/cli/invocation.ts'

const NODE = '/usr/bin/node'

t.test('an npm script of ours, an installed command, or two paths', async (t) => {
  for (const [script, npmPackage, words] of [
    ['/src/main.ts', 'poolgate', 'npm run -s poolgate --'],
    ['/x/node_modules/.bin/poolgate', 'poolgate', 'npm run -s poolgate --'],
    ['/x/node_modules/.bin/poolgate', 'shop', 'poolgate'],
    ['/usr/bin/poolgate', undefined, 'poolgate'],
    ['/app/dist/main.js', undefined, '/usr/bin/node /app/dist/main.js'],
    ['/my app/main.js', 'shop', "/usr/bin/node '/my app/main.js'"],
  ] as const) {
    t.equal(toInvocation({ execPath: NODE, script, npmPackage }), words)
  }
})
