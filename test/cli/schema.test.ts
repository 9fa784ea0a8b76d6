// poolgate schema: JSON for editors, Markdown for people.
import t from 'tap'
import { schema } from '../../src/cli/schema.ts'
import type { CommandContext } from '../../src/cli/command-context.ts'

async function run(format?: 'json' | 'markdown') {
  let out = ''
  const stdout = (text: string) => {
    out += text
  }
  const exitCode = await schema({ format }, { stdout } as unknown as CommandContext)
  return { exitCode, out }
}

t.test('the JSON Schema is printed unless Markdown is asked for', async (t) => {
  const { exitCode, out } = await run()
  t.equal(exitCode, 0)
  t.match(JSON.parse(out), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
  })
  t.ok(out.endsWith('}\n'))
  t.equal((await run('json')).out, out)
})

t.test('the reference is printed as Markdown', async (t) => {
  const { exitCode, out } = await run('markdown')
  t.equal(exitCode, 0)
  t.match(out, /^# Configuration\n/)
})
