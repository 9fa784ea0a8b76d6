// The configuration's JSON Schema (draft 2020-12) of what a file may hold, and how to walk it.
import { z } from 'zod'
import type { ConfigPath } from './problem.ts'
import { configSchema } from './schema.ts'

/** The keywords that this program reads of its own JSON Schema. */
export interface JsonSchema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly title?: string
  readonly description?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

export function toJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema
}

/** The schema that a reference stands for. */
export function dereference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace('#/$defs/', '')
  return name === undefined ? schema : (root.$defs?.[name] ?? {})
}

/** The branch of a choice that describes mappings, or the schema itself. */
export function toMappingSchema(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const direct = dereference(schema, root)
  const branches = (direct.anyOf ?? []).map((branch) => dereference(branch, root))
  return branches.find((branch) => branch.type === 'object') ?? direct
}

/** The keys that a mapping at this path may have. */
export function knownKeys(path: ConfigPath, root: JsonSchema): readonly string[] {
  let schema = root
  for (const step of path) schema = childSchema(toMappingSchema(schema, root), step) ?? {}
  return Object.keys(toMappingSchema(schema, root).properties ?? {})
}

function childSchema(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items
  if (schema.properties && Object.hasOwn(schema.properties, step)) return schema.properties[step]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}
