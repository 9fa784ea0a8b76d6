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

/** Reads the probe's wording: the statuses it names, and what it says of the connection. A refusal by closing always counts. */
function isWithin(wanted: string, { statuses, state, text, seen }: Outcome): boolean {
  const [first = 0, second] = statuses
  if (/^(?:304|200)$/.test(wanted)) return second === Number(wanted)
  if (first === 0) return state === 'closed' || /timeout/.test(wanted)
  if (/^(?:!|non-|not )/.test(wanted)) return !text.includes(`HTTP/1.1 ${/\d/.exec(wanted)}`)
  if (/^Reject|^IMF|no extra|follow-up|step 2|or close$/.test(wanted) && first === 400) return true
  if (/no extra/.test(wanted)) return false
  if (/close$|close preferred/.test(wanted) && first >= 400) return wanted.includes(`${first}`)
  if (/\+ ?close$/.test(wanted)) return first < 300 && state === 'closed'
  if (/\+ 2xx/.test(wanted)) return statuses.every((status) => status < 300) && second !== undefined
  if (/Allow header/.test(wanted)) return /^allow:/im.test(text) && wanted.includes(`${first}`)
  if (/^204/.test(wanted)) return first === 204
  if (/Date|IMF/.test(wanted))
    return /^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/im.test(text)
  if (/Content-Type/.test(wanted)) return /^content-type: /im.test(text)
  if (/follow-up|step 2/.test(wanted)) return state !== 'out_of_sync'
  if (/^Reject/.test(wanted)) return !seen.some(({ headers }) => headers.includes('99'))
  return wanted.includes(`${first}`) || (/2xx/.test(wanted) && first < 300)
}

function arrives({ seen }: Outcome, expected: string): boolean {
  const [request] = seen
  const cookies = request?.headers.filter((_, i, all) => all[i - 1]?.toLowerCase() === 'cookie')
  return request?.body === expected || cookies?.join('; ') === expected
}
