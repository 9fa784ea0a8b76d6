// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
// The printed configuration means the same as the one it came from, and shows references instead of values.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../config.example.yaml'), 'utf8')

const WITH_REFERENCES = createConfigText({
  top: 'listen: "${HOST:-127.0.0.1}:80"\nlimits: { connections: 5, body: none }\nadmin: none',
  userPools: `userPools:
  main:
    userPoolId: "\${POOL}"
    clientIds:
      - "\${CLIENT}"
      - pl$ain
      - $$\{x}
  other:
    userPoolId: local_1
    issuer: http://127.0.0.1:9229/local_1
    jwksUri: http://127.0.0.1:9229/keys
    clientIds: ["12"]`,
  upstreams: `upstreams:
  orders:
    targets: [http://127.0.0.1:9]
    queue: \${QUEUE}`,
})
const ENV = {
  POOL: 'eu-west-1_SECRET',
  CLIENT: 'hunter2',
  QUEUE: '77',
  SESSION_KEY: 'hunter2'.repeat(5),
}

t.test('what is printed loads to the same configuration', async (t) => {
  for (const text of [EXAMPLE, createConfigText(), WITH_REFERENCES]) {
    const loaded = loadConfig(text, 'c.yaml', ENV)
    const again = loadConfig(loaded.toYaml(), 'printed.yaml', ENV)
    t.strictSame(again.config, loaded.config)
    t.equal(again.toYaml(), loaded.toYaml())
  }
})

t.test('substituted values are shown as they were written', async (t) => {
  const printed = loadConfig(WITH_REFERENCES, 'c.yaml', ENV).toYaml()
  for (const value of Object.values(ENV)) t.notMatch(printed, value)
  t.match(parse(printed), {
    listen: '${HOST:-127.0.0.1}:80',
    userPools: { main: { userPoolId: '${POOL}', clientIds: ['${CLIENT}', 'pl$ain', '$${x}'] } },
    upstreams: { orders: { queue: '${QUEUE}' } },
  })
})

t.test('defaults are filled in, the derived ones of a user pool too', async (t) => {
  const printed = parse(loadConfig(createConfigText(), 'c.yaml', {}).toYaml())
  t.match(printed, {
    admin: '127.0.0.1:9090',
    limits: { target: '8KiB' },
    userPools: {
      main: {
        issuer: [/cognito-idp/, /issuer-cognito-idp/],
        jwksUri: /jwks\.json$/,
        jwksRefresh: '5m',
      },
    },
    routes: [{ forwardToken: true }],
  })
})

t.test('given identity headers are not mixed with the defaults', async (t) => {
  const text = createConfigText({ top: 'identityHeaders: {x-user: sub}' })
  t.strictSame(parse(loadConfig(text, 'c.yaml', {}).toYaml()).identityHeaders, { 'x-user': 'sub' })
})

t.test('what a secret issuer leads to is not printed', async (t) => {
  const text = createConfigText({
    userPools: `userPools:
  main:
    userPoolId: eu-west-1_A
    clientIds: any
    issuer: ["\${ISSUER}"]`,
  })
  const printed = loadConfig(text, 'c.yaml', { ISSUER: 'https://secret.example' }).toYaml()
  t.notMatch(printed, 'secret.example')
})

t.test('names that every object inherits are names like any other', async (t) => {
  const text = createConfigText({
    userPools: 'userPools: {constructor: {userPoolId: eu-west-1_A, clientIds: any}}',
    upstreams: 'upstreams: {toString: {targets: [http://a]}, orders: {targets: [http://b]}}',
  })
  t.match(parse(loadConfig(text, 'c.yaml', {}).toYaml()), {
    userPools: { constructor: { jwksRefresh: '5m' } },
    upstreams: { toString: { queue: 1000 } },
  })
})
