// The generated reference: in step with the file on disk, every key in a table.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { toJsonSchema } from '../../src/config/json-schema.ts'
import { toMarkdown } from '../../src/config/to-markdown.ts'

const markdown = toMarkdown(toJsonSchema())

t.test('docs/configuration.md is what the code generates', async (t) => {
  const file = join(import.meta.dirname, '../../docs/configuration.md')
  t.equal(readFileSync(file, 'utf8'), markdown, 'run `npm run generate`')
})

t.test('defaults, types and required keys are shown', async (t) => {
  t.match(markdown, '| `jwksRefresh` | duration | `5m` |')
  t.match(
    markdown,
    '| `access` | `public`, `authenticated` or [accessRule](#accessrule) | **required** |',
  )
  t.match(markdown, '| `trustedProxies` | list of address or CIDR | `[]` |')
  t.match(markdown, '`x-auth-groups: cognito:groups`<br>')
  for (const title of ['## upstreams.NAME.timeouts', '## routes[].match', '## membership']) {
    t.ok(markdown.includes(`\n${title}\n`), title)
  }
})

t.test('a bar inside a cell does not end the cell', async (t) => {
  const schema = { properties: { a: { type: 'string', description: 'x | y' } } }
  t.match(toMarkdown(schema), 'x \\| y')
})
