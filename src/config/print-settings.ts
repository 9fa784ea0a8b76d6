// Writes the effective configuration as a file that means the same. A substituted value never appears in it.
import { Document, isNode } from 'yaml'
import { dereference, type JsonSchema, toJsonSchema, toMappingSchema } from './json-schema.ts'
import { asMapping } from './loose.ts'
import type { Config } from './schema.ts'

/** @param printable what the file says, with source text wherever something was substituted */
export function printSettings(printable: unknown, config: Config): string {
  const root = toJsonSchema()
  const complete = withUserPoolDefaults(asMapping(fill(printable, root, root)), config)
  return new Document(complete, { aliasDuplicateObjects: false }).toString({
    lineWidth: 0,
    flowCollectionPadding: false,
  })
}

/** Fills in the schema's defaults, in the schema's order. */
function fill(given: unknown, schema: JsonSchema, root: JsonSchema): unknown {
  const value = given === undefined ? dereference(schema, root).default : given
  if (Array.isArray(value)) {
    const { items } = dereference(schema, root)
    return items ? value.map((item) => fill(item, items, root)) : value
  }
  if (typeof value !== 'object' || value === null || isNode(value)) return value
  const { properties = {}, additionalProperties } = toMappingSchema(schema, root)
  const member = typeof additionalProperties === 'object' ? additionalProperties : {}
  const keys = [...Object.keys(properties), ...Object.keys(value)]
  const entries = [...new Set(keys)].map((key) => [
    key,
    fill(asMapping(value)[key], Object.hasOwn(properties, key) ? properties[key]! : member, root),
  ])
  return Object.fromEntries(entries.filter(([, filled]) => filled !== undefined))
}

/** Issuer and key address come from the user pool's id; where that was substituted they would give it away. */
function withUserPoolDefaults(settings: Readonly<Record<string, unknown>>, config: Config) {
  const pools = Object.entries(asMapping(settings.userPools)).map(([name, value]) => {
    const pool = asMapping(value)
    const effective = config.userPools[name]
    const secret = isNode(pool.userPoolId) || JSON.stringify(pool.issuer ?? '').includes('${')
    if (effective === undefined || secret) return [name, pool]
    const { issuer, jwksUri } = effective
    return [name, { userPoolId: pool.userPoolId, issuer, jwksUri, ...pool }]
  })
  return { ...settings, userPools: Object.fromEntries(pools) }
}
