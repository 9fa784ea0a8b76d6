// What a route lets pages of other origins do, compiled (Fetch Standard section 3.2). An origin is one of a list, character by
// character, or it is not; what a browser sends is never written back unread.
import type { HeaderEdits } from '../http/header-edits.ts'
import { type RawHeaders, singleValue } from '../http/headers.ts'

export interface CorsSettings {
  /** As browsers write them; or the one `*`. */
  readonly origins: readonly string[]
  readonly headers: readonly string[]
  readonly exposeHeaders?: readonly string[] | undefined
  readonly credentials: boolean
  readonly maxAgeMs: number
}

/** What an answer says to the browser of whoever asked. */
export interface CorsAnswer {
  readonly isAllowed: boolean
  /** Fields of the answers that Poolgate makes itself. */
  readonly fields: Readonly<Record<string, string>>
  /** What becomes of an upstream's answer, the route's own changes included. */
  readonly edits: HeaderEdits
}

export interface Cors {
  /** By origin. */
  readonly answers: ReadonlyMap<string, CorsAnswer>
  /** For every other origin, and for whoever names none. */
  readonly others: CorsAnswer
  readonly methods: ReadonlySet<string>
  /** In lower case. */
  readonly headers: ReadonlySet<string>
  /** What the answer to a preflight has beside the other fields. */
  readonly permits: Readonly<Record<string, string>>
}

/** What an upstream may not say in Poolgate's place. */
const NAMES = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
]

/** @param own what the route changes in answers anyway */
export function compileCors(
  settings: CorsSettings,
  methods: readonly string[],
  own: HeaderEdits | undefined,
): Cors {
  const { origins, headers, maxAgeMs } = settings
  const isOpen = origins.includes('*')
  const toAnswer = (origin: string | undefined) => toCorsAnswer(settings, origin, own)
  return {
    answers: new Map(isOpen ? [] : origins.map((origin) => [origin, toAnswer(origin)])),
    others: toAnswer(isOpen ? '*' : undefined),
    methods: new Set(methods),
    headers: new Set(headers.map((name) => name.toLowerCase())),
    permits: {
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': headers.join(', '),
      'access-control-max-age': String(Math.floor(maxAgeMs / 1_000)),
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  }
}

/** What whoever sent these fields is told. */
export function corsAnswerFor({ answers, others }: Cors, headers: RawHeaders): CorsAnswer {
  const origin = singleValue(headers, 'origin')
  return typeof origin === 'string' ? (answers.get(origin) ?? others) : others
}

function toCorsAnswer(
  { credentials, exposeHeaders }: CorsSettings,
  origin: string | undefined,
  own: HeaderEdits | undefined,
): CorsAnswer {
  const fields: Record<string, string> = {}
  // Caches keep an answer for whom it was made for, those without a permission included.
  if (origin !== '*') fields.vary = 'Origin'
  if (origin !== undefined) {
    fields['access-control-allow-origin'] = origin
    if (credentials) fields['access-control-allow-credentials'] = 'true'
    if (exposeHeaders) fields['access-control-expose-headers'] = exposeHeaders.join(', ')
  }
  return {
    isAllowed: origin !== undefined,
    fields,
    edits: {
      names: new Set([...NAMES, ...(own?.names ?? [])]),
      lines: [...(own?.lines ?? []), ...Object.entries(fields).flat()],
    },
  }
}
