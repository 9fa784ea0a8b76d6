// Http11Probe's cases, byte for byte against a running gateway: whatever demands exactly 400 gets it and a closed connection,
// the rest stays within what the probe allows, and nothing reaches the upstream that was not plainly asked for.
import t from 'tap'
import { loadCorpus } from '../support/corpora.ts'
import { exchange, findBreaches, type Outcome, startWire } from '../support/wire.ts'

interface Corpus {
  readonly cases: readonly ProbeCase[]
}

interface ProbeCase {
  readonly id: string
  readonly expected: { readonly description: string | null; readonly status: string | null }
  readonly steps: readonly { readonly parts: readonly { readonly raw_b64: string }[] }[]
}

/** Cases outside the probe's expectation, each with its reason. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'CAP-INM-WILDCARD': 'conditional requests are the upstream’s to answer, and this one does not',
  'COMP-405-ALLOW': 'which methods a resource has is the upstream’s to say; the route takes all',
  'COMP-NO-CL-IN-204': 'OPTIONS is the upstream’s to answer, and this one says 200',
  'COMP-OPTIONS-ALLOW': 'OPTIONS is the upstream’s to answer, and this one has no Allow',
  'COMP-HTTP12-VERSION':
    'a version that nobody speaks is 400, where the probe thinks of 200 or 505',
}

/** Where the invariants know better than their own rule; each with its reason. */
const KNOWN_BREACHES: Readonly<Record<string, string>> = {
  'RFC9112-3-MULTI-SP-REQUEST-LINE':
    'Node’s parser skips further spaces before the target and tells nobody; forwarded with one, so that no second reading goes on',
}

/** Bodies and fields that have to arrive at the upstream as they were sent. */
const ARRIVES: Readonly<Record<string, string>> = {
  'COMP-POST-CL-BODY': 'hello',
  'COMP-CHUNKED-BODY': 'hello',
  'COMP-CHUNKED-MULTI': 'hello world',
  'COMP-CHUNKED-TRAILER-VALID': 'hello',
  'COMP-CHUNKED-HEX-UPPERCASE': 'helloworld',
  'COOK-ECHO': 'foo=bar',
  'COOK-MULTI-HEADER': 'a=1; b=2',
  'COOK-PARSED-BASIC': 'foo=bar',
  'COOK-PARSED-MULTI': 'a=1; b=2; c=3',
}

t.test('every case', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'http11probe')
  if (corpus === undefined) return
  const wire = await startWire(t)
  const counts = { run: 0, exactly400: 0, deviating: 0 }
  await wire.each(corpus.cases, async (lane, { id, expected, steps }) => {
    const bytes = steps.map(({ parts }) =>
      Buffer.concat(parts.map(({ raw_b64 }) => Buffer.from(raw_b64, 'base64'))),
    )
    const outcome = await exchange(lane, bytes)
    const shown = `${id}: ${outcome.statuses.join(' ')} ${outcome.state}`
    const breaches = findBreaches(bytes, outcome, bytes.length)
    t.equal(breaches.length > 0, id in KNOWN_BREACHES, `${shown} keeps the invariants ${breaches}`)
    counts.run++
    if (expected.status === 'Exact:400') {
      counts.exactly400++
      t.same([outcome.statuses, outcome.state, outcome.seen], [[400], 'closed', []], shown)
      return
    }
    const wanted = expected.description ?? '2xx'
    t.equal(isWithin(wanted, outcome), !(id in DEVIATIONS), `${shown} is within: ${wanted}`)
    if (id in DEVIATIONS) counts.deviating++
    if (id in ARRIVES) t.ok(arrives(outcome, ARRIVES[id] as string), `${shown} arrives whole`)
  })
  t.same(counts, { run: 209, exactly400: 62, deviating: Object.keys(DEVIATIONS).length })
})

type Rule = (outcome: Outcome, wanted: string) => boolean

const isRefused: Rule = ({ statuses: [first] }) => first === 400
const isFirst: Rule = ({ statuses: [first = 0] }, wanted) =>
  wanted.includes(`${first}`) || (wanted.includes('2xx') && first >= 200 && first < 300)

/** What the probe's wordings mean; the first that fits counts. Silence is judged before. */
const RULES: readonly (readonly [wording: RegExp, rule: Rule])[] = [
  [/^(?:304|200)$/, ({ statuses }, wanted) => statuses[1] === Number(wanted)],
  [/^(?:!|non-|not )/, ({ text }, wanted) => !text.includes(`HTTP/1.1 ${/\d/.exec(wanted)}`)],
  [/no extra response/, (outcome) => isRefused(outcome, '') && outcome.answers.length === 1],
  [/follow-up|on step 2/, ({ state }) => state !== 'out_of_sync'],
  [/^2xx \+ close/, (outcome, wanted) => isFirst(outcome, wanted) && outcome.state === 'closed'],
  [/2xx ?\+ ?close/, isRefused],
  [/^2xx \+ 2xx/, ({ statuses }) => statuses.length === 2 && statuses.every((code) => code < 300)],
  [/Allow header/, (outcome, wanted) => isFirst(outcome, wanted) && /^allow:/im.test(outcome.text)],
  [/Date|IMF/, ({ text }) => /^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/im.test(text)],
  [/Content-Type/, ({ text }) => /^content-type: /im.test(text)],
  [/^Reject\/drop/, isRefused],
  [/^/, isFirst],
]

/** A refusal by closing always counts, and keeping silent where the probe says so. */
function isWithin(wanted: string, outcome: Outcome): boolean {
  if (outcome.answers.length === 0) return outcome.state === 'closed' || /timeout/.test(wanted)
  const [, rule] = RULES.find(([wording]) => wording.test(wanted)) as (typeof RULES)[number]
  return rule(outcome, wanted)
}

function arrives({ seen }: Outcome, expected: string): boolean {
  const [request] = seen
  const cookies = request?.headers.filter((_, i, all) => all[i - 1]?.toLowerCase() === 'cookie')
  return request?.body === expected || cookies?.join('; ') === expected
}
