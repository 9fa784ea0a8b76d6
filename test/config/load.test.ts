// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
// Loading: the whole way from text to configuration, every problem at once, and nothing secret in any message.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig, loadConfigFile } from '../../src/config/load.ts'
import { toProblemText } from '../../src/config/problem.ts'
import { createConfigText, messagesOf, problemsOf } from '../support/config-text.ts'
import { fc } from '../support/fuzz.ts'

t.test('a small configuration loads with every default', async (t) => {
  const { config, warnings } = loadConfig(createConfigText(), 'c.yaml', {})
  t.strictSame(warnings, [])
  t.strictSame(config, {
    version: 1,
    listen: { address: { kind: 'tcp', host: '127.0.0.1', port: 8080 }, http2: false },
    admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 9090 } },
    extAuthz: 'none',
    pathPrefix: '/_poolgate',
    trustedProxies: [],
    forwardedHeader: false,
    loopGuard: false,
    userPools: {
      main: {
        userPoolId: 'eu-west-1_EXAMPLE01',
        clientIds: ['client'],
        issuer: [
          'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
          'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
        ],
        jwksUri:
          'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01/.well-known/jwks.json',
        jwksRefreshMs: 300_000,
        jwksMaxStaleMs: 86_400_000,
        clockToleranceMs: 0,
      },
    },
    sessions: {},
    identityPools: {},
    tokenCache: { entries: 10_000, bytes: 64 * 1024 ** 2, ttlMs: 300_000 },
    upstreams: {
      orders: {
        targets: ['http://127.0.0.1:9'],
        balance: 'least-requests',
        hashOn: 'subject',
        ejection: { failures: 5, timeMs: 10_000, maxTimeMs: 30_000 },
        timeouts: {
          connectMs: 3_000,
          responseMs: 30_000,
          idleMs: 60_000,
          totalMs: Number.POSITIVE_INFINITY,
          queueMs: 1_000,
        },
        engine: 'lean',
        host: 'client',
        http2: false,
        connections: 256,
        queue: 1_000,
        keepAliveMs: 4_000,
      },
    },
    limits: {
      headerBytes: 32 * 1024,
      headerFields: 128,
      targetBytes: 8 * 1024,
      body: 'none',
      connections: 10_000,
      requestsPerConnection: 10_000,
    },
    timeouts: {
      headersMs: 10_000,
      idleMs: 60_000,
      keepAliveMs: 65_000,
      drainMs: 30_000,
      tlsHandshakeMs: 10_000,
      checkIntervalMs: 2_000,
    },
    identityHeaders: {
      'x-auth-subject': 'sub',
      'x-auth-username': 'username',
      'x-auth-groups': 'cognito:groups',
      'x-auth-scopes': 'scope',
      'x-auth-client-id': 'client_id',
      'x-auth-email': 'email',
      'x-auth-token-use': 'token_use',
    },
    log: { level: 'info', access: 'all' },
    routes: [
      {
        name: 'all',
        match: { path: '/*' },
        access: 'authenticated',
        upstream: 'orders',
        forwardToken: true,
        upgrades: [],
        atExpiry: 'end',
      },
    ],
  })
})

t.test('a problem shows its place and its line', async (t) => {
  const text = createConfigText({ top: 'timeouts:\n  idle: 5 sec' })
  t.strictSame(problemsOf(text).map(toProblemText), [
    [
      'c.yaml:3:9: timeouts.idle: expected a duration such as 500ms, 5s or 10m',
      '    3 |   idle: 5 sec',
      '      |         ^^^^^',
    ].join('\n'),
  ])
})

const BROKEN = `version: 2
listen: :8080
lisen: x
admin: 127.0.0.1:9090
admin: 127.0.0.1:9090
userPools:
  main:
    userPoolId: \${POOL}
    clientIds: []
  other: { userPoolId: eu-west-1_B, clientId: [a] }
upstreams:
  orders:
    targets: [http://a, http://A:80]
    timeouts: { connect: 5 }
routes:
  - match: { path: admin, methods: [get] }
    upstream: order
  - name: two
    match: { path: /b }
    access: { groups: {}, tokenuse: id }
    upstream: orders
`

t.test('every problem is listed at once, in the order of the file', async (t) => {
  t.strictSame(
    problemsOf(BROKEN).map(({ line, path }) => `${line} ${path}`),
    [
      '1 version',
      '2 listen',
      '3 lisen',
      '5 ',
      '8 userPools.main.userPoolId',
      '9 userPools.main.clientIds',
      '10 userPools.other.clientIds',
      '10 userPools.other.clientId',
      '13 upstreams.orders.targets[1]',
      '14 upstreams.orders.timeouts.connect',
      '16 routes[0].name',
      '16 routes[0].access',
      '16 routes[0].match.path',
      '16 routes[0].match.methods[0]',
      '17 routes[0].upstream',
      '20 routes[1].access.userPool',
      '20 routes[1].access.groups',
      '20 routes[1].access.tokenuse',
    ],
  )
})

t.test('an empty file, a list and a text are no configuration', async (t) => {
  t.strictSame(messagesOf(''), [': expected a mapping, found nothing'])
  t.strictSame(messagesOf('- a\n'), [': expected a mapping, found a list'])
  t.strictSame(messagesOf('hello\n'), [': expected a mapping, found text'])
})

t.test('broken YAML is one located problem, not many that follow from it', async (t) => {
  const problems = problemsOf('version: 1\nroutes: [\n')
  t.ok(problems.length >= 1)
  t.ok(problems.every(({ file, snippet }) => file === 'c.yaml' && snippet.includes('^')))
})

t.test('a reference that leads nowhere is one problem', async (t) => {
  const text = createConfigText({ version: 'version: ${V}' })
  t.match(messagesOf(text), [/^version: the environment variable V is not set/])
  t.strictSame(messagesOf(text, { V: '1' }), [])
  t.match(messagesOf(text, { V: '"1"' }), [/^version: expected 1/])
})

t.test('names inherited by every object are no variables', async (t) => {
  t.match(messagesOf(createConfigText({ version: 'version: ${constructor}' })), [/is not set/])
})

t.test('a later problem is given its place', async (t) => {
  const loaded = loadConfig(createConfigText(), 'c.yaml', {})
  t.match(loaded.problemAt(['routes', 0, 'match', 'path'], 'ties with another'), {
    file: 'c.yaml',
    line: 11,
    column: 20,
    path: 'routes[0].match.path',
    message: 'ties with another',
    snippet: /\^\^/,
  })
})

t.test('warnings come with a configuration that loads', async (t) => {
  const { warnings } = loadConfig(
    createConfigText({ top: 'trustedProxies: [0.0.0.0/0]' }),
    'c.yaml',
    {},
  )
  t.match(warnings, [{ line: 2, path: 'trustedProxies[0]' }])
})

t.test('a file is read, and one that cannot be read is a problem', async (t) => {
  const directory = t.testdir({ 'c.yaml': createConfigText() })
  t.equal(loadConfigFile(join(directory, 'c.yaml'), {}).config.version, 1)
  const missing = join(directory, 'no.yaml')
  t.throws(() => loadConfigFile(missing, {}), {
    name: 'ConfigError',
    message: /no\.yaml:1:1: .*ENOENT/,
  })
  mkdirSync(join(directory, 'd'))
  t.throws(() => loadConfigFile(join(directory, 'd'), {}), ConfigError)
})

t.test('files of up to 64KiB are substituted, larger and broken ones are problems', async (t) => {
  const directory = t.testdir({
    id: 'eu-west-1_FILE\n',
    big: 'x'.repeat(65_537),
    fits: 'x'.repeat(65_536),
  })
  writeFileSync(join(directory, 'latin1'), Buffer.from([0x61, 0xe9]))
  const textFor = (name: string) =>
    createConfigText({
      userPools: `userPools:\n  main: { userPoolId: "\${file:${join(directory, name)}}", clientIds: any }`,
    })
  const { config } = loadConfig(textFor('id'), 'c.yaml', {})
  t.equal(config.userPools.main?.userPoolId, 'eu-west-1_FILE')
  t.match(messagesOf(textFor('big')), [/larger than 64KiB/])
  t.match(messagesOf(textFor('fits')), [/expected REGION_ID/])
  t.match(messagesOf(textFor('latin1')), [/cannot be read/])
  t.match(messagesOf(textFor('none')), [/cannot be read \(ENOENT\)/])
})

/** Every place where a text may stand, filled from one variable. */
const EVERYWHERE = readFileSync(join(import.meta.dirname, '../../config.example.yaml'), 'utf8')
  .replace(/^.*#.*\$.*$/gm, '')
  .split('\n')

t.test('a substituted value stands in no problem, whichever setting it breaks', async (t) => {
  const secret = 'hunter2 s3cr3t'
  const settings = EVERYWHERE.flatMap((line, index) =>
    /^ *-? ?[\w:-]+: [^{[#&]/.test(line) ? [index] : [],
  )
  t.ok(settings.length > 40)
  for (const index of settings) {
    const lines = EVERYWHERE.with(index, (EVERYWHERE[index] ?? '').replace(/: .*/, ': ${SECRET}'))
    try {
      const loaded = loadConfig(lines.join('\n'), 'c.yaml', {
        SECRET: secret,
        SESSION_KEY: secret.repeat(3),
      })
      t.notMatch(loaded.toYaml(), secret)
      t.notMatch(JSON.stringify(loaded.warnings), secret)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      t.notMatch(error.message, secret)
    }
  }
})

t.test('whatever the text, it loads or says why', async () => {
  const parts = [
    'version: 1',
    '\n',
    '  ',
    '- ',
    'routes:',
    'userPools:',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
  ]
  const unit = fc.constantFrom(
    ...parts,
    '"',
    '!x ',
    '? ',
    ': ',
    '${A}',
    '|',
    '#',
    'name: a',
    'null',
    '1',
  )
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), (words) => {
      const problems = problemsOf(words.join(''))
      return problems.length > 0 && problems.every(({ line, column }) => line >= 1 && column >= 1)
    }),
    { numRuns: 500 },
  )
})
