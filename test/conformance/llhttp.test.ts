// llhttp's own cases in its strict mode: requests sent to a running gateway, and responses that an upstream gives to a GET.
import t from 'tap'
import { loadCorpus } from '../support/corpora.ts'
import { replyPlainly } from '../support/recording-upstream.ts'
import { exchange, findBreaches, type Lane, type Outcome, startWire } from '../support/wire.ts'

interface Corpus {
  readonly cases: readonly ParserCase[]
}

interface ParserCase {
  readonly title: string
  readonly meta: { readonly type?: string }
  readonly raw_b64: string
  readonly expect_error: boolean
}

const WAITS = 'the bytes end within a request'
const NO_TUNNEL = 'CONNECT is refused'
const ONE_CODING = 'of all codings only a single chunked is taken'
const OTHER_NAME = 'Node’s parser reads ICE/1.0 and RTSP/1.0 as HTTP/1.0 and tells nobody'
const UPGRADE = 'where the body ends is a matter of whether the upgrade is taken'
const AUTHORITY = 'the authority of the target is not that of Host'

/** Requests that llhttp takes and that get no 200, or that it refuses and that do: what happens, and why. */
const REQUESTS: Readonly<Record<string, readonly [result: string, reason: string]>> = {
  'No restart when keep-alive is off (1.0)': ['200', 'the second request is never read'],
  'CRLF between requests, implicit `keep-alive`': ['200 400', WAITS],
  'Should parse multiple events': ['200 200 200', 'three requests'],
  'Restarting when keep-alive is explicitly': ['200 200', 'two requests'],
  '`Content-Length` with zeroes': ['400', 'a plain number has no leading zero'],
  '`Content-Length` with follow-up headers': ['400', 'a plain number has no leading zero'],
  'Spaces in `Content-Length` (surrounding)': ['', WAITS],
  'Tabs in `Content-Length` (surrounding)': ['', WAITS],
  'Content-Length reset when no body is received': ['', WAITS],
  'Parsing and setting flag': ['', WAITS],
  'Chunk extensions': ['', WAITS],
  'Chunk extensions quoting': ['', WAITS],
  'CONNECT request': ['405', NO_TUNNEL],
  'CONNECT request with CAPS': ['405', NO_TUNNEL],
  'CONNECT with body': ['405', NO_TUNNEL],
  'Underscore in hostname': ['405', NO_TUNNEL],
  'M-SEARCH request': ['400', 'only OPTIONS asks for *'],
  'SOURCE request with ICE': ['200', OTHER_NAME],
  'OPTIONS request with RTSP': ['200', OTHER_NAME],
  'ANNOUNCE request with RTSP': ['200', OTHER_NAME],
  'Emitting part of body and pausing': ['400', UPGRADE],
  'Upgrade POST request': ['400', UPGRADE],
  'PRI request HTTP2': ['400', 'not HTTP/1'],
  'No HTTP version': ['400', 'HTTP/0.9'],
  'curl GET': ['400', 'no such Host can be'],
  'Firefox GET': ['400', 'no such Host can be'],
  'POST with `chunked` as last transfer-encoding': ['400', ONE_CODING],
  'POST with `chunked` as last transfer-encoding (multiple headers)': ['400', ONE_CODING],
  'Fragment in URI': ['400', 'a target has no fragment'],
  'Host terminated by a query string': ['400', AUTHORITY],
  '`host:port` terminated by a query string': ['400', AUTHORITY],
  '`host:port` terminated by a space': ['400', AUTHORITY],
  '`host:port` and basic auth': ['400', AUTHORITY],
}

t.test('requests in strict mode: an error is 400 and the end of the connection', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'llhttp_cases')
  if (corpus === undefined) return
  const wire = await startWire(t)
  const counts = { run: 0, errors: 0, listed: 0 }
  const cases = corpus.cases.filter(({ meta }) => meta.type === 'request')
  await wire.each(cases, async (lane, { title, raw_b64, expect_error }) => {
    const text = withHosts(Buffer.from(raw_b64, 'base64').toString('latin1'))
    const outcome = await exchange(lane, [text])
    const name = title.split(' > ').at(-1) as string
    const [expected, reason = ''] = REQUESTS[name] ?? [expect_error ? '400' : '200']
    counts.run++
    counts.errors += expect_error ? 1 : 0
    counts.listed += reason === '' ? 0 : 1
    const shown = `${name}: ${outcome.statuses.join(' ')} ${outcome.state} ${reason}`
    t.equal(outcome.statuses.join(' '), expected, shown)
    if (expect_error) t.equal(outcome.state, 'closed', shown)
    const requests = [...text.matchAll(/^[A-Z-]+ \S+ HTTP\/1\.[01]\r$/gm)].length
    const breaches = findBreaches([text], outcome, requests)
    t.equal(breaches.length > 0, reason === OTHER_NAME, `${name} keeps the invariants: ${breaches}`)
  })
  t.same(counts, { run: 134, errors: 53, listed: Object.keys(REQUESTS).length })
})

/** Parsers need no Host, gateways do: one for each request of a case that has none at all. */
function withHosts(text: string): string {
  if (/^host:/im.test(text)) return text
  return text.replace(/^([A-Z-]+ \S+ \w+\/1\.[01]\r\n)/gm, '$1Host: probe.test\r\n')
}

/** Responses that llhttp refuses and that do not become 502, or that it takes and that do: what happens, and why. */
const RESPONSES: Readonly<Record<string, readonly [result: string, reason: string]>> = {
  'HTTP/1.1 with keep-alive disabled and 204 status': ['204', 'what follows the end is dropped'],
  'HTTP/1.1 with keep-alive disabled, content-length': ['200', 'what follows the end is dropped'],
  'Trailing space on chunked body': ['200 cut', 'the head was good'],
  'No semicolon before chunk extensions': ['200 cut', 'the head was good'],
  'No extension after semicolon': ['200 cut', 'the head was good'],
  'Unbalanced chunk extensions quoting': ['200 cut', 'the head was good'],
  'HTTP 101 response with Upgrade and Content-Length header': ['502', 'nobody asked to switch'],
  'HTTP 101 response with Upgrade and Transfer-Encoding header': ['502', 'nobody asked to switch'],
  'HTTP 100 first, then 400': [
    '502',
    'an upstream that was not told to wait has nothing to continue',
  ],
}

t.test('responses: an error is 502 or a cut connection, and never a second response', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'llhttp_cases')
  if (corpus === undefined) return
  const wire = await startWire(t)
  const counts = { run: 0, errors: 0, listed: 0 }
  const cases = corpus.cases.filter(({ meta }) => meta.type === 'response')
  await wire.each(cases, async (lane, { title, raw_b64, expect_error }) => {
    const bytes = Buffer.from(raw_b64, 'base64')
    const name = title.split(' > ').at(-1) as string
    const [expected, reason = ''] = RESPONSES[name] ?? [expect_error ? '502' : '']
    counts.run++
    counts.errors += expect_error ? 1 : 0
    counts.listed += reason === '' ? 0 : 1
    const kept = await answerWith(lane, bytes, false)
    const ended = await answerWith(lane, bytes, true)
    for (const outcome of [kept, ended]) {
      const shown = `${name}: ${toResult(outcome)} ${outcome.state} ${reason}`
      t.equal(outcome.statuses.length, 1, `${shown} is one response`)
      if (expected !== '') t.equal(toResult(outcome), expected, shown)
      t.same(findBreaches([GET_CASE], outcome, 1), [], shown)
      const [answer] = outcome.answers
      t.equal(outcome.state === 'in_sync', answer?.complete, `${shown} ends as it should`)
    }
    t.not(ended.state, 'out_of_sync', `${name}: the end of the upstream's connection is an end`)
  })
  t.same(counts, { run: 76, errors: 24, listed: Object.keys(RESPONSES).length })
})

const GET_CASE = 'GET /case HTTP/1.1\r\nHost: probe.test\r\n\r\n'

function answerWith(lane: Lane, bytes: Buffer, thenEnd: boolean): Promise<Outcome> {
  lane.upstream.reply((request, socket) => {
    if (request.target !== '/case') replyPlainly(request, socket)
    else if (thenEnd) socket.end(bytes)
    else socket.write(bytes)
  })
  return exchange(lane, [GET_CASE])
}

function toResult({ answers, state }: Outcome): string {
  return answers.map(({ status }) => status).join(' ') + (state === 'closed' ? ' cut' : '')
}
