// The guide that dev prints: everything is in it, and every line survives the shell.
import { execFileSync } from 'node:child_process'
import t from 'tap'
import type { GuideUser } from '../../src/cli/dev-examples.ts'
import { type GuideFacts, toGuide } from '../../src/cli/dev-guide.ts'

function user(username: string, changes: Partial<GuideUser> = {}): GuideUser {
  const base = {
    sub: `sub-of-${username}`,
    password: `${username}-pass`,
    enabled: true,
    groups: [],
    scopes: [],
    attributes: {},
  }
  return { username, ...base, ...changes }
}

function facts(users: readonly GuideUser[], changes: Partial<GuideFacts> = {}): GuideFacts {
  return {
    gateway: 'http://127.0.0.1:8080',
    admin: 'http://127.0.0.1:9090',
    upstream: 'http://127.0.0.1:7000',
    pool: {
      origin: 'http://127.0.0.1:9229',
      issuer: 'http://127.0.0.1:9229/p',
      clientId: 'c1',
      webClientId: 'c2',
      identityPool: { id: 'eu-west-1:0' },
    },
    files: 'http://127.0.0.1:7001/dev-files',
    mintUrl: 'http://127.0.0.1:9229/_dev/mint',
    users,
    signInUrl: 'http://localhost:8080/me',
    invocation: 'npm run -s poolgate --',
    tokens: new Map(users.map(({ username }) => [username, `token-of-${username}`])),
    ...changes,
  }
}

/** What a POSIX shell makes of a line, with a curl and an aws that only name their arguments. */
function argumentsOf(line: string): string[] {
  const fake = `show() { for word; do printf '%s\\n' "$word"; done; }; curl() { show "$@"; }; aws() { show "$@"; }`
  return execFileSync('sh', ['-c', `${fake}\n${line}`], { encoding: 'utf8' }).split('\n')
}

const ADMIN = user('admin', { groups: ['admins'], scopes: ['orders/write'] })
const READER = user('reader', { groups: ['readers'], attributes: { 'custom:tenant': 'acme' } })

t.test('addresses, users, passwords, groups and tokens are all there', async (t) => {
  const guide = toGuide(facts([ADMIN, READER, user('off', { enabled: false })]))
  for (const text of [
    'http://127.0.0.1:8080',
    'http://127.0.0.1:9090/readyz',
    'http://127.0.0.1:9229/p',
    '  app client       c1\n',
    '  web app client   c2\n',
    '  identity pool    eu-west-1:0\n',
    '  S3 stand-in      http://127.0.0.1:7001/dev-files\n',
    'POOLGATE_ADMIN_TOKEN=token-of-admin\n',
    '--endpoint-url http://127.0.0.1:9229 ',
  ]) {
    t.ok(guide.includes(text), text)
  }
  t.match(
    guide,
    /\n {2}admin +admin-pass +admins\n {2}reader +reader-pass +readers\n {2}off +off-pass +\(disabled\)\n/,
  )
})

t.test('a person is told first where to sign in, where browsers can', async (t) => {
  const guide = toGuide(facts([ADMIN]))
  t.match(
    guide,
    /^Poolgate .*\n\nOpen http:\/\/localhost:8080\/me in a browser: sign in as admin with/,
  )
  t.notMatch(toGuide(facts([ADMIN], { signInUrl: undefined })), /in a browser/)
})

t.test('names and passwords of any kind survive the shell', async (t) => {
  const name = `j'a"n$e&!\`x\`;`
  const password = `p'a"s$s&!\\`
  const guide = toGuide(facts([user(name, { password })]))
  const lines = guide.split('\n')
  const own = (start: string) => argumentsOf(lines.find((line) => line.startsWith(start)) ?? '')
  const parameters = { USERNAME: name, PASSWORD: password }
  t.same(JSON.parse(own('aws').find((word) => word.startsWith('{')) ?? ''), parameters)
  const body = own('curl -s -H').find((word) => word.startsWith('{')) ?? ''
  t.same(JSON.parse(body).AuthParameters, parameters)
  const bearer = own('curl -i -H').find((word) => word.startsWith('user=')) ?? ''
  t.equal(new URLSearchParams(bearer).get('user'), name)
})
