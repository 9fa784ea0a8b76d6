// One access against another: as strict, or not.
import t from 'tap'
import { asksAsMuch } from '../../src/config/access-order.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'

const POOLS = `userPools:
  a: {userPoolId: eu-west-1_A, clientIds: [x]}
  b: {userPoolId: eu-west-1_B, clientIds: [x]}`

function accessOf(access: string) {
  const routes = `routes: [{name: r, match: {path: /*}, access: ${access}, upstream: orders}]`
  const text = createConfigText({ userPools: POOLS, routes })
  return loadConfig(text, 'c.yaml', {}).config.routes[0]!.access
}

function compare(access: string, other: string): boolean {
  return asksAsMuch(accessOf(access), accessOf(other), ['a', 'b'])
}

const group = (rule: string) => `{userPool: a, groups: {${rule}}}`
const claim = (rule: string) => `{userPool: a, claims: {${rule}}}`

const AS_MUCH = [
  ['public', 'public'],
  ['authenticated', 'public'],
  ['authenticated', 'authenticated'],
  [group('anyOf: [x]'), 'authenticated'],
  [group('anyOf: [x]'), group('anyOf: [x]')],
  [group('anyOf: [x]'), group('anyOf: [x, y]')],
  [group('allOf: [x, z]'), group('anyOf: [x, y]')],
  [group('allOf: [x, y]'), group('allOf: [x]')],
  [group('anyOf: [x]'), group('allOf: [x]')],
  [group('anyOf: [x], noneOf: [z]'), group('anyOf: [x]')],
  [group('noneOf: [y, z]'), group('noneOf: [z]')],
  [claim('a: 1, b: 2'), claim('a: 1')],
  [claim('a: 1'), claim('a: [1, 2]')],
  ['{userPool: a, scopes: {allOf: [r, w]}}', '{userPool: a, scopes: {allOf: [r]}}'],
  ['{userPool: a, tokenUse: any}', '{userPool: a, tokenUse: access}'],
] as const

const LESS = [
  ['public', 'authenticated'],
  ['public', group('anyOf: [x]')],
  ['authenticated', group('anyOf: [x]')],
  [group('anyOf: [x, y]'), group('anyOf: [x]')],
  [group('anyOf: [y]'), group('anyOf: [x]')],
  [group('noneOf: [z]'), group('anyOf: [x]')],
  [group('allOf: [x]'), group('allOf: [x, y]')],
  [group('anyOf: [x, y]'), group('allOf: [x]')],
  [group('anyOf: [x]'), group('anyOf: [x], noneOf: [z]')],
  [claim('a: 1'), claim('a: 1, b: 2')],
  [claim('a: [1, 2]'), claim('a: 1')],
  [claim('a: "1"'), claim('a: 1')],
  ['{userPool: a, scopes: {allOf: [r]}}', group('allOf: [r]')],
  [group('anyOf: [x]'), '{userPool: b, groups: {anyOf: [x]}}'],
] as const

t.test('as much, or more', async (t) => {
  for (const [access, other] of AS_MUCH) t.equal(compare(access, other), true, `${access} ${other}`)
})

t.test('less, or something else', async (t) => {
  for (const [access, other] of LESS) t.equal(compare(access, other), false, `${access} ${other}`)
})

t.test('where there is one user pool nobody has to name it', async (t) => {
  const [named, plain] = [accessOf(group('anyOf: [x]')), accessOf('authenticated')]
  t.equal(asksAsMuch(plain, accessOf('{userPool: a}'), ['a']), true)
  t.equal(asksAsMuch(plain, accessOf('{userPool: a}'), ['a', 'b']), false)
  t.equal(asksAsMuch(named, plain, ['a']), true)
})
