// Settings of what a route changes in requests and answers on their way through.
import { z } from 'zod'
import { expected, listOf, text } from './fields.ts'
import { HEADER_NAME, HEADER_NAME_PATTERN } from './identity-header-names.ts'

const PREFIX = 'a path such as /api: plain segments and no slash at the end'
const PREFIX_PATTERN = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/

export const rewrite = z
  .strictObject(
    {
      stripPrefix: text(PREFIX, PREFIX_PATTERN)
        .exactOptional()
        .describe('What the path loses, in whole segments; `match.path` has to begin with it.'),
      addPrefix: text(PREFIX, PREFIX_PATTERN)
        .exactOptional()
        .describe('What then stands before the rest.'),
    },
    { error: expected('a mapping of stripPrefix or addPrefix') },
  )
  .meta({ minProperties: 1 })
  .exactOptional()
  .describe('How the path is changed for the upstream; the query stays. Default: not at all.')

export function headerEdits(about: string) {
  return z
    .strictObject(
      {
        set: z
          .record(
            text(HEADER_NAME, HEADER_NAME_PATTERN),
            text('text of visible ASCII characters and inner spaces', /^[!-~](?:[ -~]*[!-~])?$/),
            { error: expected('a mapping of header to text') },
          )
          .exactOptional()
          .describe('Header → value, in the place of every field of that name.'),
        remove: listOf(
          text(HEADER_NAME, HEADER_NAME_PATTERN),
          'a list of header names',
          'expected at least one header name',
        )
          .exactOptional()
          .describe('Fields that do not go on, however their names are written.'),
      },
      { error: expected('a mapping of set or remove') },
    )
    .meta({ minProperties: 1 })
    .exactOptional()
    .describe(about)
}
