// poolgate token mint: the token and nothing else on standard output, and every way to get none.
import { decodeJwt } from 'jose'
import t from 'tap'
import { type MintOptions, mintToken } from '../../src/cli/token-mint.ts'
import { startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { realClock } from '../support/real-clock.ts'

const pool = await startDevPool({ clock: realClock, port: 0 })
t.teardown(pool.stop)

async function mint(username: string, options: MintOptions = {}) {
  const written = { out: '', err: '' }
  const code = await mintToken(
    username,
    { pool: pool.issuer, ...options },
    {
      clock: realClock,
      version: '0.0.0',
      invocation: 'poolgate',
      env: {},
      stdout: (text) => {
        written.out += text
      },
      stderr: (text) => {
        written.err += text
      },
      readStdin: async () => '',
      onSignal: () => {},
    },
  )
  return { code, ...written }
}

t.test('a token comes alone, with the end of its line', async (t) => {
  const { code, out, err } = await mint('admin')
  t.equal(code, 0)
  t.match(out, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
  t.equal(err, '')
  t.match(decodeJwt(out.trim()), { iss: pool.issuer, username: 'admin', token_use: 'access' })
})

t.test('the pool may be named by its origin too', async (t) => {
  t.equal((await mint('admin', { pool: pool.origin })).code, 0)
})

t.test('what is wanted otherwise reaches the token', async (t) => {
  const { out } = await mint('reader', {
    use: 'id',
    expiresIn: '10m',
    group: ['a', 'b,c'],
    claim: ['custom:tenant=x y', 'email_verified=false'],
  })
  const claims = decodeJwt(out.trim())
  t.match(claims, {
    token_use: 'id',
    'cognito:groups': ['a', 'b,c'],
    'custom:tenant': 'x y',
    email_verified: false,
  })
  t.equal((claims.exp ?? 0) - (claims.iat ?? 0), 600)
  t.equal(decodeJwt((await mint('reader', { scope: 'a b' })).out.trim()).scope, 'a b')
})

t.test('options that cannot be meant are bad usage', async (t) => {
  const cases: [MintOptions, string][] = [
    [{ expiresIn: '10' }, '--expires-in is a duration such as 90s, 10m or 1h'],
    [{ pool: 'nonsense' }, '--pool is the http URL of a dev pool on this machine'],
    [{ pool: 'https://127.0.0.1:9229' }, '--pool is the http URL of a dev pool on this machine'],
    [{ pool: 'http://pool.example' }, '--pool is the http URL of a dev pool on this machine'],
    [{ pool: 'http://127.0.0.1.example' }, '--pool is the http URL of a dev pool on this machine'],
  ]
  for (const [options, problem] of cases) {
    t.same(await mint('admin', options), { code: 2, out: '', err: `token mint: ${problem}\n` })
  }
})

t.test('what the pool refuses is told', async (t) => {
  const said = (text: string) => ({
    code: 1,
    out: '',
    err: `token mint: ${pool.origin}: ${text}\n`,
  })
  t.same(await mint('nobody'), said('no such user; there are admin, reader, guest'))
  t.same(await mint('admin', { use: 'x' }), said('use is access or id'))
  t.same(await mint('admin', { claim: ['x'] }), said('claim is name=value'))
  t.same(
    await mint('admin', { expiresIn: '25h' }),
    said('expires_in is a whole number of seconds from 0 to 86400'),
  )
})

t.test('where no dev pool runs, that is told', async (t) => {
  const gone = await startDevPool({ clock: realClock, port: 0 })
  await gone.stop()
  t.same(await mint('admin', { pool: gone.issuer }), {
    code: 1,
    out: '',
    err: `token mint: ${gone.origin}: no dev pool is running there\n`,
  })
})
