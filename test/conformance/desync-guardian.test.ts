// http-desync-guardian's requests against a running gateway: severe ones are 400 and the end, ambiguous ones are refused or listed
// here, and whatever is forwarded leaves both connections in step.
import t from 'tap'
import { loadCorpus } from '../support/corpora.ts'
import { exchange, findBreaches, startWire } from '../support/wire.ts'

interface Corpus {
  readonly cases: readonly GuardianCase[]
}

interface GuardianCase {
  readonly name: string
  readonly expected: { readonly tier: 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe' }
  readonly raw_b64_no_body: string
}

const BODY_ALLOWED =
  'a body may come with every method (RFC 9110 section 9.3); it is framed and read as one'

/** Ambiguous requests that are forwarded, each with its reason. */
const FORWARDED: Readonly<Record<string, string>> = {
  'Get with a body and Content-Length': BODY_ALLOWED,
  'Get with a body and Transfer-Encoding': BODY_ALLOWED,
  'Head with a body and Content-Length': BODY_ALLOWED,
  'Head with a body and Transfer-Encoding': BODY_ALLOWED,
  'Has a CL in GET': BODY_ALLOWED,
  'Has a TE in GET': BODY_ALLOWED,
  'Transfer-Encoding with multiple hyphens':
    'the name is no spelling of Transfer-Encoding that any upstream reads',
  'Transfer-Encoding with multiple delimiters': 'the field is dropped, for its underscores',
}

const CODINGS = 'of all codings only a single chunked is taken: upstreams differ in the rest'
const CONTROL = 'an encoded control character is refused'

/** Requests that the corpus would let pass and that are refused here, each with its reason. */
const REFUSED: Readonly<Record<string, string>> = {
  'Correct TE OK': CODINGS,
  'Transfer-Encoding: identity and chunked OK': CODINGS,
  'Multiple transfer encoding headers in a single request OK': CODINGS,
  'TE with custom parameters OK': CODINGS,
  'Different Transfer-Encoding headers': CODINGS,
  'Different Transfer-Encoding headers combined': CODINGS,
  'Transfer-Encoding with a param: chunked;custom_param': CODINGS,
  'Compliant URL': 'a target has no fragment',
  'International in URI': 'a target is ASCII (RFC 9112 section 3.2)',
  'Empty URI': 'a request line has a target',
  '%09 in URI is OK': CONTROL,
  '%0D in URI is OK': CONTROL,
  '%0A in URI is OK': CONTROL,
}

t.test('every request', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'http_desync_guardian')
  if (corpus === undefined) return
  const wire = await startWire(t)
  const counts = { run: 0, severe: 0, forwarded: 0, refused: 0 }
  await wire.each(corpus.cases, async (lane, { name, expected: { tier }, raw_b64_no_body }) => {
    const bytes = complete(Buffer.from(raw_b64_no_body, 'base64').toString('latin1'))
    const outcome = await exchange(lane, [bytes])
    const shown = `${tier}: ${name}: ${outcome.statuses.join(' ')} ${outcome.state}`
    t.same(findBreaches([bytes], outcome, 1), [], `${shown} keeps the invariants`)
    counts.run++
    const refused = outcome.statuses[0] === 400 && outcome.seen.length === 0
    if (tier === 'Severe') {
      counts.severe++
      t.same([refused, outcome.statuses.length, outcome.state], [true, 1, 'closed'], shown)
    } else if (tier === 'Ambiguous') {
      counts.forwarded += refused ? 0 : 1
      t.equal(refused && outcome.state === 'closed', !(name in FORWARDED), shown)
    } else if (tier === 'Compliant') {
      counts.refused += refused ? 1 : 0
      t.equal(refused, name in REFUSED, shown)
    }
    if (!refused) t.not(outcome.state, 'out_of_sync', shown)
  })
  t.same(counts, { run: 159, severe: 58, forwarded: 8, refused: 13 })
})

/** A body that comes up to its announcement is sent up to this size. */
const MAX_BODY = 64 * 1024

/**
 * With a Host, which the corpus leaves out, and with a body: the one that is announced, or where that is in doubt one with a request
 * behind its possible end.
 */
function complete(head: string): string {
  const withHost = /^host:/im.test(head) ? head : head.replace('\r\n', '\r\nHost: probe.test\r\n')
  const lengths = [...head.matchAll(/^content-length:[ \t]*(\d+)[ \t]*\r$/gim)]
  const framing = head.match(/(?:content|transfer).{0,3}(?:length|encod)/gi) ?? []
  const length = Number(lengths[0]?.[1])
  if (framing.length === 0) return withHost
  if (framing.length === 1 && length <= MAX_BODY) return withHost + 'x'.repeat(length)
  if (framing.length === 1 && lengths.length === 0) return `${withHost}0\r\n\r\n`
  return `${withHost}0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: probe.test\r\n\r\n`
}
