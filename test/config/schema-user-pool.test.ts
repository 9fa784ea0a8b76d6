// User pools: nothing is switched off by being left out, and keys come only from places that can be trusted.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

const GOOD = { userPoolId: 'eu-west-1_EXAMPLE01', clientIds: '[a]' }

function textFor(settings: Readonly<Record<string, string | undefined>>) {
  const lines = Object.entries({ ...GOOD, ...settings }).flatMap(([key, value]) =>
    value === undefined ? [] : [`    ${key}: ${value}`],
  )
  return createConfigText({ userPools: ['userPools:', '  main:', ...lines].join('\n') })
}

function load(settings: Readonly<Record<string, string>>) {
  return loadConfig(textFor(settings), 'c.yaml', {}).config.userPools.main
}

function problems(settings: Readonly<Record<string, string | undefined>>) {
  return messagesOf(textFor(settings))
}

t.test('app clients are required, and switched off only by the word any', async (t) => {
  t.match(problems({ clientIds: undefined }), [
    /^userPools\.main\.clientIds: is required: .* `any`/,
  ])
  t.match(problems({ clientIds: '[]' }), [/clientIds: expected at least one/])
  t.match(problems({ clientIds: '' }), [/clientIds: expected a list .*, found nothing/])
  t.match(problems({ clientIds: 'abc' }), [
    /clientIds: expected a list of app client ids, or the word any/,
  ])
  t.match(problems({ clientIds: '[""]' }), [/clientIds\[0\]/])
  t.match(problems({ clientIds: '[12]' }), [/clientIds\[0\]: .*found a number; put it in quotes/])
  t.equal(load({ clientIds: 'any' })?.clientIds, 'any')
  t.strictSame(load({ clientIds: '[a, b]' })?.clientIds, ['a', 'b'])
})

t.test('issuer and key address come from the id unless they are given', async (t) => {
  t.match(load({ issuer: 'https://i.example/x' }), {
    issuer: ['https://i.example/x'],
    jwksUri: 'https://i.example/x/.well-known/jwks.json',
  })
  t.match(load({ issuer: '[https://a.example, https://b.example]' }), {
    issuer: ['https://a.example', 'https://b.example'],
    jwksUri: 'https://a.example/.well-known/jwks.json',
  })
  t.match(load({ jwksUri: 'http://127.0.0.1:9/jwks' }), {
    issuer: [/cognito-idp/, /issuer-cognito-idp/],
    jwksUri: 'http://127.0.0.1:9/jwks',
  })
})

t.test('an id of another form needs both of them', async (t) => {
  const userPoolId = 'local_1'
  const issuer = 'http://localhost:9229/local_1'
  for (const given of [{}, { issuer }, { jwksUri: issuer }]) {
    t.match(problems({ userPoolId, ...given }), [
      /^userPools\.main\.userPoolId: expected REGION_ID/,
    ])
  }
  t.strictSame(problems({ userPoolId, issuer, jwksUri: `${issuer}/jwks` }), [])
})

t.test('issuers and keys stand behind https or on this machine', async (t) => {
  for (const key of ['issuer', 'jwksUri']) {
    t.strictSame(problems({ [key]: 'http://[::1]:80/x' }), [])
    for (const url of [
      'http://i.example',
      'https://u:p@i.example',
      'ftp://i.example',
      'i.example',
      '""',
    ]) {
      t.match(
        problems({ [key]: url }),
        [`userPools.main.${key}: expected an https URL`],
        `${key} ${url}`,
      )
    }
  }
  t.match(problems({ issuer: '[]' }), [/this list is empty/])
})

t.test('times are bounded on both sides', async (t) => {
  for (const [key, fits, breaks] of [
    ['clockTolerance', ['0s', '60s'], ['60001ms', '61s', '5']],
    ['jwksRefresh', ['1s', '23h'], ['999ms', '25h']],
    ['jwksMaxStale', ['301s', '720h'], ['59s', '721h']],
  ] as const) {
    for (const value of fits) t.strictSame(problems({ [key]: value }), [], `${key} ${value}`)
    for (const value of breaks) {
      t.match(problems({ [key]: value })[0], `userPools.main.${key}: `, `${key} ${value}`)
    }
  }
  t.match(problems({ clockTolerance: '61s' }), [/must be at most 1m/])
})

t.test('resources are checked only when they are given', async (t) => {
  t.notOk('resource' in (load({}) ?? {}))
  t.strictSame(load({ resource: 'https://api.example' })?.resource, ['https://api.example'])
  t.strictSame(load({ resource: '[a, b]' })?.resource, ['a', 'b'])
  t.match(problems({ resource: '[]' }), [/this list is empty/])
})

t.test('names of user pools are plain', async (t) => {
  for (const name of ['"a b"', '""', '_a', '<<', `"${'a'.repeat(64)}"`]) {
    const userPools = `userPools: {${name}: {userPoolId: eu-west-1_A, clientIds: any}}`
    t.not(messagesOf(createConfigText({ userPools })).length, 0, name)
  }
  const userPools = `userPools: {${'a'.repeat(63)}: {userPoolId: eu-west-1_A, clientIds: any}}`
  t.strictSame(messagesOf(createConfigText({ userPools })), [])
})
