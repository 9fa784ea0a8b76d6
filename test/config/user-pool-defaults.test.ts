// What a user pool's id tells, in every partition, and which texts are no such id.
import t from 'tap'
import { toJwksUri, userPoolDefaults } from '../../src/config/user-pool-defaults.ts'

t.test('both forms that AWS issues are accepted', async (t) => {
  t.strictSame(userPoolDefaults('eu-west-1_EXAMPLE01'), {
    issuer: [
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
      'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
    ],
  })
})

t.test('each partition has its own domain', async (t) => {
  for (const [id, host] of [
    ['us-gov-west-1_A', 'cognito-idp.us-gov-west-1.amazonaws.com'],
    ['ap-southeast-2_A', 'cognito-idp.ap-southeast-2.amazonaws.com'],
    ['cn-north-1_A', 'cognito-idp.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1_A', 'cognito-idp.eusc-de-east-1.amazonaws.eu'],
  ] as const) {
    t.equal(userPoolDefaults(id)?.issuer[0], `https://${host}/${id}`, id)
    t.equal(userPoolDefaults(id)?.issuer[1], `https://issuer-${host}/${id}`, id)
  }
})

t.test('another form tells nothing', async (t) => {
  const ids = [
    '',
    'EXAMPLE01',
    'eu-west-1',
    'eu-west-1_',
    'local_1abc',
    'eu-west-1_A/B',
    'EU-WEST-1_A',
  ]
  for (const id of [
    ...ids,
    'eu-west-1_A\n',
    'eu.west-1_A',
    'evil.com/eu-west-1_A',
    'eu-west-1_A_B',
  ]) {
    t.equal(userPoolDefaults(id), undefined, id)
  }
})

t.test("an issuer's keys are below it", async (t) => {
  t.equal(toJwksUri('https://issuer.example/x'), 'https://issuer.example/x/.well-known/jwks.json')
})
