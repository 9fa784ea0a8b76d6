// The JSON Schema: in step with the file that editors read, and valid for valid files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { parse } from 'yaml'
import { type JsonSchema, knownKeys, toJsonSchema } from '../../src/config/json-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLE = readFileSync(join(ROOT, 'config.example.yaml'), 'utf8')
/** What it asks for and has no default. */
const EXAMPLE_ENV = { SESSION_KEY: 'a secret of no less than 32 characters' }
const schema = toJsonSchema()
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

t.test('config.schema.json is what the code generates', async (t) => {
  const onDisk = JSON.parse(readFileSync(join(ROOT, 'config.schema.json'), 'utf8'))
  t.strictSame(onDisk, JSON.parse(JSON.stringify(schema)), 'run `npm run generate`')
})

t.test('the example and a small configuration are valid by it', async (t) => {
  for (const text of [EXAMPLE, createConfigText()]) {
    t.equal(isValid(parse(text)), true, JSON.stringify(isValid.errors))
  }
})

t.test('what loading refuses by kind or key is not valid by it', async (t) => {
  for (const top of [
    'lisen: a',
    'timeouts: {idle: 5}',
    'limits: {body: 5MB}',
    'trustedProxies: x',
  ]) {
    t.equal(isValid(parse(createConfigText({ top }))), false, top)
  }
})

t.test('the example loads without a problem or a warning', async (t) => {
  t.strictSame(loadConfig(EXAMPLE, 'config.example.yaml', EXAMPLE_ENV).warnings, [])
})

/** Key paths of a schema; shared definitions count once, under their own name. */
function keyPaths(part: JsonSchema, at: string): string[] {
  const own = Object.entries(part.properties ?? {}).flatMap(([key, child]) => [
    `${at}.${key}`,
    ...keyPaths(child, `${at}.${key}`),
  ])
  const member = typeof part.additionalProperties === 'object' ? [part.additionalProperties] : []
  const inside = [...member, ...(part.items ? [part.items] : []), ...(part.anyOf ?? [])]
  return [...own, ...inside.flatMap((child) => keyPaths(child, at))]
}

/** The same for a value, following the schema. */
function keysSet(value: unknown, part: JsonSchema, at: string): string[] {
  const name = part.$ref?.replace('#/$defs/', '')
  if (name !== undefined) return keysSet(value, schema.$defs?.[name] ?? {}, name)
  if (part.anyOf) return part.anyOf.flatMap((branch) => keysSet(value, branch, at))
  if (Array.isArray(value)) return value.flatMap((item) => keysSet(item, part.items ?? {}, at))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => {
    const known = part.properties?.[key]
    if (known) return [`${at}.${key}`, ...keysSet(child, known, `${at}.${key}`)]
    return typeof part.additionalProperties === 'object'
      ? keysSet(child, part.additionalProperties, at)
      : []
  })
}

t.test('the example sets every key that there is', async (t) => {
  const defined = Object.entries(schema.$defs ?? {}).flatMap(([name, part]) => keyPaths(part, name))
  const all = [...keyPaths(schema, 'top'), ...defined]
  const set = new Set(keysSet(parse(EXAMPLE), schema, 'top'))
  t.ok(all.length > 60)
  t.strictSame(
    // The admin listener has no keys that the one for requests has not.
    all.filter((path) => !set.has(path) && !set.has(path.replace('listener.', 'clientListener.'))),
    [],
  )
})

t.test('every key says what it is for', async (t) => {
  const withoutWords = (part: JsonSchema, at: string): string[] => {
    const own = Object.entries(part.properties ?? {})
    const inside = [part.items, ...(part.anyOf ?? []), part.additionalProperties]
    return [
      ...own.filter(([, child]) => !child.description).map(([key]) => `${at}.${key}`),
      ...own.flatMap(([key, child]) => withoutWords(child, `${at}.${key}`)),
      ...inside.flatMap((child) => (typeof child === 'object' ? withoutWords(child, at) : [])),
    ]
  }
  const parts = [schema, ...Object.values(schema.$defs ?? {})]
  t.strictSame(
    parts.flatMap((part) => withoutWords(part, '')),
    [],
  )
})

t.test('the keys of a place are known through lists, names and choices', async (t) => {
  t.ok(knownKeys([], schema).includes('listen'))
  t.strictSame(knownKeys(['listen', 'tls'], schema), ['cert', 'key'])
  t.strictSame(knownKeys(['upstreams', 'a', 'timeouts'], schema), [
    'connect',
    'response',
    'idle',
    'total',
    'queue',
  ])
  t.strictSame(knownKeys(['routes', 3, 'access', 'groups'], schema), ['anyOf', 'allOf', 'noneOf'])
  t.strictSame(knownKeys(['nowhere', 'at', 'all'], schema), [])
  t.strictSame(knownKeys(['constructor'], schema), [])
})
