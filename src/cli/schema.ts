// poolgate schema: prints what the schema generates, the JSON Schema for editors or the reference for people.
import { toJsonSchema } from '../config/json-schema.ts'
import { toMarkdown } from '../config/to-markdown.ts'
import type { CommandContext, ExitCode } from './command-context.ts'

export interface SchemaOptions {
  readonly format?: 'json' | 'markdown' | undefined
}

export async function schema(
  { format = 'json' }: SchemaOptions,
  { stdout }: CommandContext,
): Promise<ExitCode> {
  const root = toJsonSchema()
  stdout(format === 'markdown' ? toMarkdown(root) : `${JSON.stringify(root, null, 2)}\n`)
  return 0
}
