// Identity pools, AWS upstreams and the routes that lead there: what cannot work is an error at its place, what may surprise a warning.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, problemsOf } from '../support/config-text.ts'

const ID = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'
const POOL = `identityPools:\n  main: {identityPoolId: '${ID}'}`
const ROUTE = '{name: all, match: {path: /*}, access: {tokenUse: id}, upstream: orders}'

interface Parts {
  readonly upstream: string
  readonly pools?: string
  readonly route?: string
  readonly userPools?: string
}

function toText({ upstream, pools = POOL, route = ROUTE, userPools }: Parts): string {
  return createConfigText({
    ...(userPools !== undefined && { userPools: `userPools:\n${userPools}` }),
    upstreams: `${pools}\nupstreams:\n  orders: ${upstream}`,
    routes: `routes:\n  - ${route}`,
  })
}

const GOOD = '{aws: {service: s3, identityPool: main, bucket: files}}'

t.test('what cannot work is told at its place', async (t) => {
  const cases: [Partial<Parts>, string, RegExp][] = [
    [
      { upstream: '{aws: {service: s3}}' },
      'upstreams.orders.aws.identityPool',
      /is required, or credentials: gateway/,
    ],
    [
      { upstream: '{aws: {service: s3, identityPool: mian}}' },
      'upstreams.orders.aws.identityPool',
      /did you mean "main"/,
    ],
    [
      {
        upstream:
          '{aws: {service: s3, identityPool: main, credentials: gateway, region: eu-west-1}}',
      },
      'upstreams.orders.aws.credentials',
      /cannot stand beside/,
    ],
    [
      { upstream: '{aws: {service: s3, credentials: gateway}}' },
      'upstreams.orders.aws.region',
      /is required beside/,
    ],
    [
      { upstream: '{aws: {service: s3, credentials: caller}}' },
      'upstreams.orders.aws.credentials',
      /expected gateway/,
    ],
    [
      { upstream: '{aws: {service: dynamodb, identityPool: main, bucket: files}}' },
      'upstreams.orders.aws.bucket',
      /for service: s3 alone/,
    ],
    [
      { upstream: '{aws: {service: s3, identityPool: main, function: f}}' },
      'upstreams.orders.aws.function',
      /for service: lambda alone/,
    ],
    [
      { upstream: '{aws: {service: s3, identityPool: main, bucket: my.files}}' },
      'upstreams.orders.aws.bucket',
      /has a dot/,
    ],
    [
      { upstream: '{aws: {service: execute-api, identityPool: main}}' },
      'upstreams.orders.aws.endpoint',
      /is required/,
    ],
    [
      { upstream: '{aws: {service: lambda, identityPool: main}}' },
      'upstreams.orders.aws.function',
      /is required, or endpoint/,
    ],
    [
      {
        upstream:
          "{aws: {service: lambda, identityPool: main, endpoint: 'https://x.example', streaming: true}}",
      },
      'upstreams.orders.aws.streaming',
      /without function/,
    ],
    [
      { upstream: "{aws: {service: s3, identityPool: main, endpoint: 'http://minio:9000'}}" },
      'upstreams.orders.aws.endpoint',
      /https origin/,
    ],
    [
      { upstream: "{aws: {service: s3, identityPool: main, endpoint: 'https://s3.example/path'}}" },
      'upstreams.orders.aws.endpoint',
      /https origin/,
    ],
    [
      { upstream: "{targets: ['http://127.0.0.1:9'], aws: {service: s3, identityPool: main}}" },
      'upstreams.orders.aws',
      /cannot stand beside targets/,
    ],
    [
      { upstream: '{aws: {service: s3, identityPool: main}, health: {path: /}}' },
      'upstreams.orders.health',
      /says nothing beside aws/,
    ],
    [
      { upstream: '{handOut: {identityPool: other, clientIds: [a]}}' },
      'upstreams.orders.handOut.identityPool',
      /no identity pool/,
    ],
    [
      { upstream: '{handOut: {identityPool: main, clientIds: []}}' },
      'upstreams.orders.handOut.clientIds',
      /at least one/,
    ],
    [
      { upstream: GOOD, route: '{name: all, match: {path: /*}, access: public, upstream: orders}' },
      'routes[0].access',
      /cannot be public/,
    ],
    [
      {
        upstream: '{handOut: {identityPool: main, clientIds: [a]}}',
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', guests: true}`,
        route: '{name: all, match: {path: /*}, access: public, upstream: orders}',
      },
      'routes[0].access',
      /cannot be public/,
    ],
    [
      {
        upstream: GOOD,
        route:
          '{name: all, match: {path: /*}, access: {tokenUse: id}, upgrades: [websocket], upstream: orders}',
      },
      'routes[0].upgrades',
      /signed one by one/,
    ],
    [
      { upstream: '{handOut: {identityPool: main, clientIds: [a]}}' },
      'upstreams.orders.handOut.clientIds[0]',
      /none of userPools.main.clientIds/,
    ],
    [
      { upstream: '{aws: {service: apigateway, identityPool: main}}' },
      'upstreams.orders.aws.service',
      /write execute-api/,
    ],
    [
      { upstream: '{aws: {service: dynamodb, identityPool: main, actions: [GetItem]}}' },
      'upstreams.orders.aws.actions[0]',
      /before the dot/,
    ],
    [
      { upstream: '{aws: {service: s3, identityPool: main, bucket: "s3://files"}}' },
      'upstreams.orders.aws.bucket',
      /without s3/,
    ],
    [
      { upstream: '{aws: {service: dynamodb, identityPool: main, maxBody: 33MiB}}' },
      'upstreams.orders.aws.maxBody',
      /at most 32MiB/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', loginKey: 'https://x/y'}`,
      },
      'identityPools.main.loginKey',
      /without a scheme/,
    ],
    [
      {
        upstream:
          "{aws: {service: s3, identityPool: main, bucket: files, endpoint: 'https://s3.example'}}",
      },
      'upstreams.orders.aws.pathStyle',
      /not that of the bucket/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', guests: true, flow: basic, roleArn: 'arn:aws:iam::123456789012:role/users'}`,
      },
      'identityPools.main.guests',
      /assume the users' role/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', logins: {accounts.google.com: x-auth-google}}`,
      },
      'identityPools.main.logins["accounts.google.com"]',
      /never arrives/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', logins: {accounts.google.com: authorization}}`,
      },
      'identityPools.main.logins["accounts.google.com"]',
      /never arrives/,
    ],
    [
      { upstream: GOOD, pools: "identityPools:\n  main: {identityPoolId: 'eu-west-1_POOL'}" },
      'identityPools.main.identityPoolId',
      /the id of an identity pool/,
    ],
    [
      { upstream: GOOD, pools: `identityPools:\n  main: {identityPoolId: '${ID}', flow: basic}` },
      'identityPools.main',
      /needs roleArn/,
    ],
    [
      { upstream: GOOD, pools: `identityPools:\n  main: {identityPoolId: '${ID}', role: admin}` },
      'identityPools.main.role',
      /default, preferred or the ARN/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', userPool: nobody}`,
      },
      'identityPools.main.userPool',
      /no user pool of this name/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', accountId: '123'}`,
      },
      'identityPools.main.accountId',
      /12 digits/,
    ],
    [
      {
        upstream: GOOD,
        userPools:
          '  a: {userPoolId: eu-west-1_AAAAAAAAA, clientIds: [a]}\n  b: {userPoolId: eu-west-1_BBBBBBBBB, clientIds: [b]}',
      },
      'identityPools.main.userPool',
      /is required where there are several/,
    ],
    [
      {
        upstream: GOOD,
        pools: `identityPools:\n  main: {identityPoolId: '${ID}', userPool: a}`,
        userPools:
          '  a: {userPoolId: eu-west-1_AAAAAAAAA, clientIds: [a]}\n  b: {userPoolId: eu-west-1_BBBBBBBBB, clientIds: [b]}',
        route:
          '{name: all, match: {path: /*}, access: {userPool: b, tokenUse: id}, upstream: orders}',
      },
      'routes[0].access.userPool',
      /another user pool/,
    ],
  ]
  for (const [parts, path, message] of cases) {
    const problems = problemsOf(toText({ upstream: GOOD, ...parts }))
    t.match(
      problems.find((problem) => problem.path === path)?.message,
      message,
      `${path} ${message}`,
    )
  }
})

t.test('what works loads without a word', async (t) => {
  const roles = ['default', 'preferred', 'arn:aws:iam::123456789012:role/path/users']
  const upstreams = [
    GOOD,
    '{aws: {service: s3, identityPool: main}}',
    '{aws: {service: s3, identityPool: main, bucket: my.files, pathStyle: true}}',
    '{aws: {service: dynamodb, credentials: gateway, region: cn-north-1}}',
    '{aws: {service: lambda, identityPool: main, function: "arn:aws:lambda:eu-west-1:123456789012:function:f:live", streaming: true}}',
    "{aws: {service: execute-api, identityPool: main, endpoint: 'https://abc.execute-api.eu-west-1.amazonaws.com'}}",
    "{aws: {service: s3, identityPool: main, endpoint: 'http://127.0.0.1:9000'}}",
    '{handOut: {identityPool: main, clientIds: [client]}}',
    "{aws: {service: s3, identityPool: main, bucket: files, endpoint: 'https://files.s3.example'}}",
    "{aws: {service: s3, identityPool: main, bucket: files, pathStyle: true, endpoint: 'https://s3.example'}}",
  ]
  for (const upstream of upstreams) {
    const isOwn = upstream.includes('gateway')
    const { warnings } = loadConfig(toText({ upstream, ...(isOwn && { pools: '' }) }), 'c.yaml', {})
    t.same(warnings, [], upstream)
  }
  for (const role of roles) {
    const pools = `identityPools:\n  main: {identityPoolId: '${ID}', role: '${role}'}`
    t.same(loadConfig(toText({ upstream: GOOD, pools }), 'c.yaml', {}).warnings, [], role)
  }
})

t.test('what may surprise is a warning', async (t) => {
  const route = (access: string) =>
    `{name: all, match: {path: /*}, access: ${access}, upstream: orders}`
  const own = '{aws: {service: s3, credentials: gateway, region: eu-west-1}}'
  const cases: [Parts, RegExp][] = [
    [{ upstream: own, route: route('public'), pools: '' }, /the gateway's own role here/],
    [{ upstream: own }, /no upstream names this identity pool/],
    [{ upstream: GOOD, route: route('authenticated') }, /callers have to send both/],
    [{ upstream: GOOD, route: route('{groups: {anyOf: [a]}}') }, /callers have to send both/],
  ]
  for (const [parts, message] of cases) {
    const { warnings } = loadConfig(toText(parts), 'c.yaml', {})
    t.equal(warnings.length, 1)
    t.match(warnings[0]?.message, message)
  }
  for (const access of ['{tokenUse: id}', '{tokenUse: any}'])
    t.same(loadConfig(toText({ upstream: GOOD, route: route(access) }), 'c.yaml', {}).warnings, [])
})
