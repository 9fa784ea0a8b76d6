// Configurations in the documentation load as they are written; a part of one loads with the rest of a small one around it.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'

const ENV = { SESSION_KEY: 'a key of at least 32 characters, it says' }
const BLOCKS = /^```yaml\n([\s\S]*?)^```/gm

t.test('every whole configuration in docs/ loads', async (t) => {
  const names = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((each) => each.endsWith('.md'))) {
    const text = readFileSync(`docs/${name}`, 'utf8')
    for (const [, block = ''] of text.matchAll(BLOCKS)) {
      if (!/^version: 1$/m.test(block)) continue
      t.doesNotThrow(() => loadConfig(block, `docs/${name}`, ENV), `docs/${name}:\n${block}`)
    }
  }
})

t.test('every part of one in docs/aws.md loads', async (t) => {
  const text = readFileSync('docs/aws.md', 'utf8')
  const whole = parse(/^```yaml\n(version: 1\n[\s\S]*?)^```/m.exec(text)?.[1] ?? '')
  let parts = 0
  for (const [, block = ''] of text.matchAll(BLOCKS)) {
    const part = parse(block)
    if (!('identityPools' in part || 'upstreams' in part)) continue
    parts++
    const { identityPools, ...rest } = part
    const upstreams = { ...whole.upstreams, ...part.upstreams }
    const full = {
      ...{ ...whole, ...rest, upstreams },
      identityPools: { ...whole.identityPools, ...identityPools },
    }
    t.doesNotThrow(() => loadConfig(stringify(full), 'docs/aws.md', ENV), block)
  }
  t.ok(parts > 8, `${parts} of them`)
})
