// Settings of what pages of other origins may do on a route (Fetch Standard section 3.2, "CORS protocol").
import { z } from 'zod'
import { duration, expected, flag, listOf, oneOf, parsedText, text } from './fields.ts'
import { METHODS } from './methods.ts'
import { parseOrigin } from './web-address.ts'

const DAY_MS = 86_400_000

const origin = parsedText(
  'an http or https origin such as https://app.example.com, without path, query or user name; or *',
  /^(\*|https?:\/\/\S+)$/,
  (given) => (given === '*' ? given : parseOrigin(given)),
).meta({ title: 'origin or *' })

const headerNames = listOf(
  // Not `*`: to browsers it would be every name but Authorization.
  text('a header name of letters, digits and "-"', /^[A-Za-z0-9-]+$/),
  'a list of header names',
  'expected at least one header name',
)

export const cors = z
  .strictObject(
    {
      origins: listOf(
        origin,
        'a list of origins such as https://app.example.com, or the one *',
        'expected at least one origin',
      ).describe('Whose pages may read answers. `*`: anybody, without cookies.'),
      methods: listOf(
        oneOf(METHODS, 'a method in capitals such as GET or POST'),
        'a list of methods',
        'expected at least one method',
      )
        .exactOptional()
        .describe('What they may ask with. Default: `match.methods`, else GET, HEAD and POST.'),
      headers: headerNames
        .prefault(['authorization', 'content-type'])
        .describe('Request headers that they may send, beside those that every page may.'),
      exposeHeaders: headerNames
        .exactOptional()
        .describe('Response headers that they may read, beside those that every page may.'),
      credentials: flag()
        .prefault(false)
        .describe(
          "Whether they may read what is answered to a request with the browser's cookies.",
        ),
      maxAge: duration(0, DAY_MS)
        .prefault('10m')
        .describe('How long browsers keep the answer to a preflight; many for two hours at most.'),
    },
    { error: expected('a mapping with origins') },
  )
  .transform(({ maxAge, ...rest }) => ({ ...rest, maxAgeMs: maxAge }))
  .exactOptional()
  .describe(
    'What pages of other origins may do. Preflights are answered here, without a token. Default: nothing; OPTIONS is a method like any other.',
  )
