// The framing rows of the security catalogue, as bytes on a socket: whatever two readers could split differently is 400 and the end
// of the connection, and what is forwarded is one request each.
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { type SeenRequest, startRecordingUpstream } from '../support/recording-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'
import { createTransferEncodingMutations } from '../support/transfer-encoding-mutations.ts'
import { exchange, findBreaches, type Outcome, parseAnswers, startWire } from '../support/wire.ts'

const HOST = 'Host: probe.test\r\n'
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

const wire = await startWire(t)

const post = (fields: string, body = '') => `POST /x HTTP/1.1\r\n${HOST}${fields}\r\n${body}`
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`

/** Sends each on a connection of its own. */
async function sendEach(
  t: Test,
  requests: readonly string[],
  check: (outcome: Outcome, shown: string) => void,
): Promise<void> {
  await wire.each(requests, async (lane, bytes) => {
    const outcome = await exchange(lane, [bytes])
    const shown = `${JSON.stringify(bytes.slice(0, 120))}: ${outcome.statuses} ${outcome.state}`
    t.same(findBreaches([bytes], outcome, 1), [], `${shown} keeps the invariants`)
    check(outcome, shown)
  })
}

/** 400, the end of the connection, and no sign of it at the upstream. */
function refuseEach(t: Test, requests: readonly string[]): Promise<void> {
  return sendEach(t, requests, ({ statuses, state, seen }, shown) => {
    t.same([statuses, state, seen], [[400], 'closed', []], shown)
  })
}

t.test('S-01 Content-Length beside Transfer-Encoding is refused in any order', (t) =>
  refuseEach(
    t,
    ['0', '4', '5', '41', '100'].flatMap((length) => [
      post(`Content-Length: ${length}\r\n${CHUNKED}`, `0\r\n\r\n${SMUGGLED}`),
      post(`${CHUNKED}Content-Length: ${length}\r\n`, `0\r\n\r\n${SMUGGLED}`),
      `${get('/x', `${CHUNKED}X: y\r\nContent-Length: ${length}\r\n`)}0\r\n\r\n${SMUGGLED}`,
    ]),
  ),
)

t.test('S-02 no spelling of Transfer-Encoding hides a request', async (t) => {
  const mutations = createTransferEncodingMutations()
  const results = await wire.each(mutations, async (lane, { name, lines, sound }) => {
    const body = `0\r\n\r\n${SMUGGLED}`
    const both = post(`${lines}Content-Length: ${body.length}\r\n`, body)
    const alone = post(lines, `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`)
    const asTwo = await exchange(lane, [both])
    const asOne = await exchange(lane, [alone])
    t.same(findBreaches([both], asTwo, 1), [], `${name} beside Content-Length`)
    t.same(findBreaches([alone], asOne, 1), [], `${name} alone`)
    return { name, sound, asTwo: toResult(asTwo), asOne: toResult(asOne) }
  })
  const refused = '400 closed'
  const unlike = results.filter(({ asTwo, asOne }) => asTwo !== refused || asOne !== refused)
  t.ok(mutations.length >= 700, `${mutations.length} mutations`)
  t.same(
    unlike.filter(({ sound }) => !sound).map(({ name }) => name),
    ['name "Transfer-Encodin"', 'name "Transfer-%45ncoding"'],
    'but for names that are no Transfer-Encoding at all, everything is refused',
  )
  for (const { name, sound, asTwo, asOne } of unlike) {
    if (sound) t.match([asTwo, asOne], [refused, /^(?:200 in_sync|400 closed)$/], name)
  }
})

function toResult({ statuses, state }: Outcome): string {
  return `${statuses.join(' ')} ${state}`
}

t.test('S-03 every coding but a single chunked is refused', (t) =>
  refuseEach(
    t,
    ['identity, chunked', 'chunked\r\nTransfer-Encoding: cow', 'identity', 'gzip', 'gzip, chunked']
      .concat(['cow', 'chunked, chunked', 'x-chunked', 'chunked;q=0.5', 'chunked\t'])
      .map((coding) => post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')),
  ),
)

t.test('S-03 chunked in HTTP/1.0 is refused', (t) =>
  refuseEach(t, [`POST /x HTTP/1.0\r\n${HOST}${CHUNKED}\r\n0\r\n\r\n`]),
)

t.test(
  'S-04 names that some upstream takes for framing fields are refused or dropped',
  async (t) => {
    await refuseEach(
      t,
      [
        'Transfer_Encoding: chunked',
        'Content_Length: 0',
        'Transfer.Encoding: chunked',
        'content~length: 9',
      ]
        .map((field) => `${field}\r\n`)
        .flatMap((field) => [
          post(`${field}Content-Length: 5\r\n`, 'hello'),
          post(`Content-Length: 5\r\n${field}`, 'hello'),
          get('/x', field),
        ]),
    )
    const fields =
      'Transfer-%45ncoding: chunked\r\nTransfer__Encoding: chunked\r\nContent-Length: 5\r\n'
    await sendEach(t, [post(fields, 'hello')], ({ seen }, shown) => {
      const names = seen[0]?.headers.filter((_, i) => i % 2 === 0) ?? []
      t.notOk(
        names.some((name) => /^transfer/i.test(name)),
        shown,
      )
      t.equal(seen[0]?.body, 'hello')
    })
  },
)

t.test('S-05 a Content-Length that is not one plain number is refused', (t) =>
  refuseEach(
    t,
    [
      '+5',
      '-5',
      '-0',
      '0x5',
      '5e0',
      '5 5',
      '5,5',
      '5, 5',
      '5;',
      '5.0',
      '',
      ' ',
      '05',
      '00',
      '0o5',
      '1_0',
    ]
      .concat(['99999999999999999999', '9223372036854775808', '9007199254740992', '5\x0b', '\xa05'])
      .concat(['5\r\nContent-Length: 5', '5\r\nContent-Length: 6', '5\r\ncontent-length: 5'])
      .map((length) => post(`Content-Length: ${length}\r\n`, 'hello')),
  ),
)

t.test('S-05 the largest safe number is waited for, not refused', async (t) =>
  sendEach(t, [post('Content-Length: 9007199254740991\r\n', 'hello')], ({ state, seen }) => {
    t.equal(state, 'waiting')
    t.notOk(seen[0]?.complete)
  }),
)

t.test('S-06 a body comes whole with every method, and the next request begins behind it', (t) =>
  sendEach(
    t,
    ['GET', 'OPTIONS', 'HEAD', 'DELETE', 'POST', 'QUERY'].flatMap((method) => [
      `${method} /x HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
      `${method} /x HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ]),
    ({ statuses, state, seen }, shown) => {
      t.same([statuses, state, seen[0]?.body], [[200], 'in_sync', SMUGGLED], shown)
    },
  ),
)

t.test(
  'S-06 the body of a request that is refused by decision is drained, never read as a request',
  async (t) => {
    const gate = await startGateway()
    t.teardown(gate.stop)
    const body = `GET /public/smuggled HTTP/1.1\r\n${HOST}\r\n`
    for (const method of ['POST', 'GET', 'OPTIONS', 'PUT']) {
      const client = await connectRaw(gate.origin)
      client.send(
        `${method} /api/x HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n${body}`,
      )
      client.send(get('/public/next', 'Connection: close\r\n'))
      await client.closed()
      const statuses = parseAnswers(client.text(), false).map(({ status }) => status)
      t.same(statuses, [401, 200], method)
    }
    t.same([...new Set(gate.upstream.received.map(({ url }) => url))], ['/public/next'])
    const large = await connectRaw(gate.origin)
    large.send(
      `POST /api/x HTTP/1.1\r\n${HOST}Content-Length: 10000000\r\n\r\n${'x'.repeat(200_000)}`,
    )
    await large.closed()
    t.match(large.text(), /^HTTP\/1\.1 401 /, 'more than 64 KiB unread end the connection')
  },
)

t.test(
  'S-06 a client that waits to be told is answered without, and its body is no request',
  async (t) => {
    const gate = await startGateway()
    t.teardown(gate.stop)
    const client = await connectRaw(gate.origin)
    const body = `GET /public/smuggled HTTP/1.1\r\n${HOST}\r\n`
    client.send(
      `POST /api/x HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await client.closed()
    t.match(client.text(), /^HTTP\/1\.1 401 [\s\S]*connection: close\r\n/i)
    t.notMatch(client.text(), /100 Continue|200 OK/)
    t.same(gate.upstream.received, [])
  },
)

const chunk = (size: string, data = 'hello') => post(CHUNKED, `${size}\r\n${data}\r\n0\r\n\r\n`)

t.test('S-07 a chunk whose size is not plain hexadecimal is refused', (t) =>
  refuseEach(
    t,
    [
      '+0',
      '+5',
      '0x0',
      '0x5',
      '-1',
      '1e1g',
      '5_',
      '10000000000000000',
      'FFFFFFFFFFFFFFFF0',
      ' 5',
      '5 ',
      '\t5',
    ]
      .concat(['5g', '', 'x', '5,5', '5\x00', '5\x0b', "'5'", '５'])
      .map((size) => chunk(size))
      .concat(
        post(CHUNKED, `5\r\nhello0\r\n\r\n${SMUGGLED}`),
        post(CHUNKED, `5\r\nhello!!\r\n0\r\n\r\n${SMUGGLED}`),
        post(CHUNKED, `3\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
        post(CHUNKED, `5\rhello\r\n0\r\n\r\n`),
        post(CHUNKED, `5\nhello\r\n0\r\n\r\n`),
        post(CHUNKED, `5\r\nhello\n0\r\n\r\n`),
        post(CHUNKED, `5\r\nhello\r\n0\r\n\n`),
      ),
  ),
)

t.test(
  'S-07 the largest size that 64 bits hold is waited for, and goes on in chunks of our own',
  (t) =>
    sendEach(t, [chunk('FFFFFFFFFFFFFFFF')], ({ state, seen }, shown) => {
      t.equal(state, 'waiting', shown)
      t.notOk(seen[0]?.complete)
    }),
)

t.test(
  'S-08 broken and swollen chunk extensions are refused, sound ones are not passed on',
  async (t) => {
    await refuseEach(t, [
      chunk('5;\n'),
      chunk('5;a\nb'),
      chunk('5;a\rb'),
      chunk('5;\x00'),
      chunk('5;'),
      chunk('5;a[=x'),
      chunk('5;a="b'),
      chunk(`5;a=${'x'.repeat(64 * 1024)}`),
    ])
    const split = [...'hello'].map((letter) => `1;a=${'x'.repeat(8000)}\r\n${letter}\r\n`)
    const extended = [
      chunk('5;a=b'),
      chunk('5;a="b c";d'),
      post(CHUNKED, `${split.join('')}0\r\n\r\n`),
    ]
    await sendEach(t, extended, ({ seen, state }, shown) => {
      t.same([seen[0]?.body, state], ['hello', 'in_sync'], shown)
    })
  },
)

t.test('S-09 lines end in CR LF and in nothing else', (t) =>
  refuseEach(t, [
    `GET /x HTTP/1.1\n${HOST}\r\n`,
    `GET /x HTTP/1.1\r\nHost: probe.test\n\r\n`,
    `GET /x HTTP/1.1\r\nHost: probe.test\n\n`,
    `GET /x HTTP/1.1\r\nHost: probe.test\nX: y\r\n\r\n`,
    `GET /x HTTP/1.1\rHost: probe.test\r\r`,
    `GET /x HTTP/1.1\r\nHost: probe.test\rX: y\r\n\r\n`,
    `GET /x HTTP/1.1\r\n${HOST}\rX${SMUGGLED}`,
    `POST /x HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\rXhello`,
    `GET /x HTTP/1.1\n\r${HOST}\n\r`,
    `GET /x HTTP/1.1\r\n${HOST}X: a\n\rb\r\n\r\n`,
  ]),
)

t.test('S-10 folded lines are refused', (t) =>
  refuseEach(t, [
    get('/x', 'X: a\r\n b\r\n'),
    get('/x', 'X: a\r\n\tb\r\n'),
    get('/x', 'X:\r\n a\r\n'),
    post('Content-Length: 5\r\n 0\r\n', 'hello'),
    `GET /x HTTP/1.1\r\n ${HOST}\r\n`,
    `GET /x HTTP/1.1\r\n\t${HOST}\r\n`,
    `GET /x HTTP/1.1\r\n \r\n${HOST}\r\n`,
    get('/x', 'Authorization: Bearer\r\n abc\r\n'),
  ]),
)

t.test('S-11 every version but HTTP/1.1 and HTTP/1.0 is refused', (t) =>
  refuseEach(
    t,
    [
      'HTTP/0.9',
      'HTTP/1.2',
      'HTTP/2.0',
      'HTTP/2',
      'HTTP/3.0',
      'HTTP/9.9',
      'HTTP/1',
      'HTTP/1.',
      'HTTP/.1',
    ]
      .concat([
        'http/1.1',
        'Http/1.1',
        'HTTP/01.1',
        'HTTP/1.10',
        'HTTP/ 1.1',
        'HTTP /1.1',
        'HTTP-1.1',
        'HTTPS/1.1',
      ])
      .concat(['HTTP/1.1 ', 'HTTP/1.1\t', 'HTTP/1.1 x', ''])
      .map((version) => `GET /x ${version}\r\n${HOST}\r\n`)
      .concat(
        `GET /x\r\n${HOST}\r\n`,
        `GET\t/x HTTP/1.1\r\n${HOST}\r\n`,
        ` GET /x HTTP/1.1\r\n${HOST}\r\n`,
      ),
  ),
)

t.test('S-11 HTTP/1.0 is answered, and ends its connection', (t) =>
  sendEach(t, [`GET /x HTTP/1.0\r\n${HOST}\r\n`], ({ statuses, state }) => {
    t.same([statuses, state], [[200], 'closed'])
  }),
)

t.test('S-11 further spaces in the request line never reach an upstream', async (t) => {
  // Node's parser skips them and tells nobody: what goes on is written with single ones.
  const written = ['GET  /x HTTP/1.1', 'GET /x  HTTP/1.1', 'GET    /x    HTTP/1.1']
  await wire.each(written, async (lane, line) => {
    const { statuses, state, seen } = await exchange(lane, [`${line}\r\n${HOST}\r\n`])
    t.same([statuses, state], statuses[0] === 400 ? [[400], 'closed'] : [[200], 'in_sync'], line)
    for (const { target, problem } of seen) t.same([target, problem], ['/x', undefined])
  })
})

t.test('S-12 nobody can change to HTTP/2', async (t) => {
  await refuseEach(t, [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n',
    get(
      '/x',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    ),
    get('/x', 'Connection: Upgrade\r\nUpgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n'),
    get('/x', 'HTTP2_Settings: AAMAAABkAAQAAP__\r\n'),
  ])
  const upgrade = get('/x', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')
  await sendEach(t, [upgrade], ({ statuses, state, seen }) => {
    t.same([statuses, state], [[200], 'closed'], 'without settings there is nothing to change to')
    t.notOk(seen[0]?.headers.some((text) => /upgrade|h2c/i.test(text)))
  })
})

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

t.test('S-12 a body and an upgrade do not go together', (t) =>
  refuseEach(
    t,
    [UPGRADE, 'Upgrade: x\r\n', 'connection: keep-alive, upgrade\r\nUPGRADE:\r\n'].flatMap(
      (fields) => [
        post(`${fields}Content-Length: 5\r\n`, `hello${SMUGGLED}`),
        post(`Content-Length: ${SMUGGLED.length}\r\n${fields}`, SMUGGLED),
        post(`${fields}${CHUNKED}`, `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
        get('/x', `${fields}Content-Length: 5\r\n`),
        post(`${fields}Expect: 100-continue\r\nContent-Length: 5\r\n`),
      ],
    ),
  ),
)

t.test('S-12 nothing behind an upgrade is a request, wherever it is cut', async (t) => {
  // Node drops what comes along with the head, and would read on from the middle of what comes next.
  const around = `POST /x HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n`
  const cases = [
    [get('/x', UPGRADE) + SMUGGLED],
    [get('/x', UPGRADE), SMUGGLED],
    [get('/x', UPGRADE) + around, SMUGGLED],
    [`${get('/x', UPGRADE)}GET /y HTTP/1.1\r\n${HOST}X: `, SMUGGLED],
    [get('/x', UPGRADE), around, SMUGGLED],
    [get('/x', `${UPGRADE}Content-Length: 0\r\n`) + around, SMUGGLED],
    [get('/refused//x', UPGRADE) + around, SMUGGLED],
    [get('/x') + get('/x', UPGRADE) + around, SMUGGLED],
    [`POST /x HTTP/1.1\r\n${HOST}${UPGRADE}Content-Length: 5\r\n\r\n`, 'hello', SMUGGLED],
    [post(UPGRADE + CHUNKED, '5\r\nhello\r\n0\r\n\r\n') + around, SMUGGLED],
  ]
  await wire.each(cases, async ({ origin, upstream }, parts) => {
    upstream.take()
    const client = await connectRaw(origin)
    for (const part of parts) {
      client.send(part)
      // Long enough to be a read of its own.
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await client.closed()
    const targets = upstream.take().map(({ target }) => target)
    t.ok(
      targets.every((target) => target === '/x'),
      `${JSON.stringify(parts)}: ${targets}`,
    )
    t.match(client.text(), /connection: close/i)
  })
})

t.test('S-15 nothing is forwarded from behind an answer that ends its connection', async (t) => {
  const ends = [
    post('Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 0\r\n'),
    post('Content_Length: 5\r\n'),
    `GET /x HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`,
    `GET /x HTTP/1.1\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\n${HOST}Content_Length: 5\r\n\r\n`,
    post('Expect: tea\r\nContent-Length: 0\r\n'),
    `POST //x HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
  ]
  await wire.each(ends, async (lane, end) => {
    const { seen, statuses, state } = await exchange(lane, [end + SMUGGLED.repeat(3)])
    t.same([seen, statuses.length, state], [[], 1, 'closed'], JSON.stringify(end))
    const behind = await exchange(lane, [get('/good') + end + SMUGGLED])
    t.same(
      behind.seen.map(({ target }) => target),
      ['/good'],
      JSON.stringify(end),
    )
    t.same([behind.statuses[0], behind.state], [200, 'closed'])
  })
})

t.test('S-15 pipelined requests are answered in order, each by its own decision', async (t) => {
  const gate = await startGateway()
  t.teardown(gate.stop)
  const authorization = `Authorization: Bearer ${gate.issuer.access()}\r\n`
  const client = await connectRaw(gate.origin)
  client.send(
    get('/public/1') +
      get('/api/2', authorization) +
      get('/api/3') +
      get('/admin/4', authorization) +
      get('/nowhere/5') +
      get('/public/6', 'Connection: close\r\n'),
  )
  await client.closed()
  const answers = parseAnswers(client.text(), false)
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 401, 403, 404, 200],
  )
  t.same(
    gate.upstream.received.map(({ url }) => url).sort(),
    ['/public/1', '/api/2', '/public/6'].sort(),
  )
})

t.test('S-15 a good request before a bad one is answered, and nothing comes after', async (t) => {
  const bad = [
    '\x00\x01\x02',
    'GET /x HTTP/1.1\r\nBad Name: x\r\n\r\n',
    SMUGGLED.replace('1.1', '1.2'),
  ]
  await wire.each(bad, async (lane, rest) => {
    const bytes = get('/good') + rest + SMUGGLED
    const outcome = await exchange(lane, [bytes])
    t.same([outcome.statuses, outcome.state], [[200], 'closed'], JSON.stringify(rest))
    t.same(
      outcome.seen.map(({ target }) => target),
      ['/good'],
    )
    t.match(outcome.answers[0]?.head, /connection: close/i)
  })
})

t.test('S-15 a thousand pipelined requests are answered in order', async (t) => {
  const targets = Array.from({ length: 1000 }, (_, i) => `/${i}`)
  await wire.each([targets], async ({ origin, upstream }) => {
    upstream.take()
    const client = await connectRaw(origin)
    client.send(
      targets.map((target) => get(target)).join('') + get('/end', 'Connection: close\r\n'),
    )
    await client.closed()
    const answered = [...client.text().matchAll(/x-target: (\S+)\r\n/g)].map(([, target]) => target)
    t.same(answered, [...targets, '/end'])
    t.equal(upstream.take().length, 1001)
  })
})

t.test(
  'S-15 a connection takes 65 places at upstreams, and the rest follows in order',
  async (t) => {
    const gate = await startGateway()
    t.teardown(gate.stop)
    const { received } = gate.upstream
    let finish = () => {}
    gate.upstream.handle(({ url }, response) => {
      if (url !== '/public/slow') response.end(`<${url}>`)
      else finish = () => void response.end(`<${url}>`)
    })
    const client = await connectRaw(gate.origin)
    const targets = ['/public/slow', ...Array.from({ length: 1_300 }, (_, i) => `/public/${i}`)]
    client.send(targets.map((target) => get(target)).join(''))
    await eventually('the first of them', () => received.length >= 65)
    const other = await connectRaw(gate.origin)
    other.send(get('/public/other', 'Connection: close\r\n'))
    await other.closed()
    t.match(other.text(), /^HTTP\/1\.1 200 /, 'others find a place')
    t.equal(received.length, 66)
    finish()
    client.send(get('/public/end', 'Connection: close\r\n'))
    await client.closed()
    const text = client.text()
    t.equal(text.match(/HTTP\/1\.1 \d/g)?.length, 1_302)
    const answered = [...text.matchAll(/<(\S+)>/g)].map(([, target]) => target)
    t.same(answered.slice(0, 1_089), targets.slice(0, 1_089), 'in order')
    const refused = text.match(/HTTP\/1\.1 503 [\s\S]*?"reason":"overloaded"/g)?.length ?? 0
    t.ok(refused > 0, 'what is too much is told')
    t.equal(answered.length + refused, 1_302)
  },
)

t.test('S-15 a refusal leaves its connection, and what is under way there, alone', async (t) => {
  const gate = await startGateway()
  t.teardown(gate.stop)
  let finish = () => {}
  gate.upstream.handle(({ url }, response) => {
    if (url === '/public/slow') finish = () => void response.end('late')
    else response.end('ok')
  })
  const [idle, busy] = await Promise.all([connectRaw(gate.origin), connectRaw(gate.origin)])
  idle.send(get('/api/x'))
  await idle.until(/401 Unauthorized/)
  busy.send(get('/public/slow') + get('/api/x'))
  await eventually('the slow one', () => gate.upstream.received.length === 1)
  // Longer than a refused body is waited for.
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  idle.send(get('/public/x'))
  await idle.until(/200 OK[\s\S]*ok/)
  finish()
  await busy.until(/200 OK[\s\S]*late[\s\S]*401 Unauthorized/)
  for (const { socket } of [idle, busy]) socket.destroy()
})

t.test('S-16 a connection carries no identity from one request to the next', async (t) => {
  const gate = await startGateway()
  t.teardown(gate.stop)
  const client = await connectRaw(gate.origin)
  client.send(get('/api/1', `Authorization: Bearer ${gate.issuer.access()}\r\n`))
  await client.until(/200 OK/)
  client.send(get('/api/2'))
  await client.until(/401 Unauthorized/)
  client.send(get('/public/3', 'Connection: close\r\n'))
  await client.closed()
  t.same(
    parseAnswers(client.text(), false).map(({ status }) => status),
    [200, 401, 200],
  )
  const last = gate.upstream.received.at(-1)
  t.notOk(Object.keys(last?.headers ?? {}).some((name) => name.startsWith('x-auth-')))
})

t.test(
  'S-17 a body that does not go on is 408 and the end, here and at the upstream',
  async (t) => {
    const slow = await startWire(t, { lanes: 1, more: 'timeouts: {idle: 200ms}' })
    await slow.each(
      [post('Content-Length: 100\r\n', 'hello')],
      async ({ origin, upstream }, bytes) => {
        const client = await connectRaw(origin)
        client.send(bytes)
        await client.closed()
        t.match(client.text(), /^HTTP\/1\.1 408 [\s\S]*connection: close/i)
        const request = upstream.take().find(isCase)
        await eventually('the end at the upstream', () => request?.cut)
      },
    )
  },
)

t.test(
  'S-18 a body that ends before its announced length is never passed off as whole',
  async (t) => {
    const short = [
      post('Content-Length: 10\r\n', 'hello'),
      post(CHUNKED, '5\r\nhello\r\n'),
      post(CHUNKED, '5\r\nhel'),
      post(CHUNKED, '5\r\nhello\r\n0\r\n'),
    ]
    await wire.each(short, async ({ origin, upstream }, bytes) => {
      upstream.take()
      const client = await connectRaw(origin)
      client.send(bytes)
      const request = await eventually('the head', () => upstream.take().find(isCase))
      client.socket.end()
      await client.closed()
      t.ok(await eventually('the end at the upstream', () => request.cut), JSON.stringify(bytes))
    })
  },
)

t.test('S-18 who leaves amid a further request has left the one before too', async (t) => {
  const gate = await startGateway()
  t.teardown(gate.stop)
  let asked = 0
  let left = 0
  gate.upstream.handle((_, response) => {
    asked++
    response.on('close', () => left++)
  })
  const further = [get('/public/y').slice(0, -2), `${post('Content-Length: 9\r\n')}hel`]
  for (const [i, rest] of [...further, get('/public/y', UPGRADE).slice(0, 20)].entries()) {
    const client = await connectRaw(gate.origin)
    client.send(get('/public/x', i === 0 ? '' : UPGRADE) + rest)
    await eventually('the request', () => asked === i + 1)
    client.socket.destroy()
    await eventually('its end at the upstream', () => left === i + 1)
  }
})

function isCase({ target }: SeenRequest): boolean {
  return target === '/x'
}

t.test(
  'S-07 a body that breaks after it began to flow is 400 here and a broken request there',
  async (t) => {
    await wire.each(['zz\r\n', '5\r\nhello!', '\n'], async ({ origin, upstream }, rest) => {
      upstream.take()
      const client = await connectRaw(origin)
      client.send(post(CHUNKED, '5\r\nhello\r\n'))
      const request = await eventually('the head', () => upstream.take().find(isCase))
      client.send(rest)
      await client.closed()
      t.match(client.text(), /^HTTP\/1\.1 400 [\s\S]*connection: close[\s\S]*request_malformed/i)
      t.ok(await eventually('the end at the upstream', () => request.cut), JSON.stringify(rest))
    })
  },
)

t.test('S-19 what is many but sound passes, what is double is refused', async (t) => {
  await refuseEach(t, [
    post('Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 0\r\n'),
    post('Content-Type: a/b\r\ncontent_type: c/d\r\nContent-Length: 0\r\n'),
  ])
  const ranges = `Range: bytes=${'0-,'.repeat(1000)}0-\r\n`
  const cookies = `Cookie: ${'a=b; '.repeat(4000)}c=d\r\n`
  await sendEach(t, [get('/x', ranges), get('/x', cookies)], ({ statuses }, shown) => {
    t.same(statuses, [200], shown)
  })
})

t.test(
  'S-21 a broken request never puts a second response into one that is under way',
  async (t) => {
    const upstream = await startRecordingUpstream()
    t.teardown(upstream.close)
    const gate = await startGateway({ upstreamOrigin: upstream.origin })
    t.teardown(gate.stop)
    let finish = () => {}
    upstream.reply((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
      finish = () => socket.write('world')
    })

    const client = await connectRaw(gate.origin)
    client.send(get('/public/x'))
    await client.until(/hello/)
    client.send('\x00 bad\r\n\r\n')
    client.send('\x00 bad\r\n\r\n')
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    finish()
    await client.closed()
    t.match(client.text(), /helloworld$/, 'the response comes whole, then the connection ends')
    t.equal(client.text().match(/HTTP\/1\.1/g)?.length, 1)
  },
)
