// Address ranges: both families, bare addresses, and the range that is everybody.
import t from 'tap'
import { isEveryAddress, parseCidr } from '../../src/config/cidr.ts'

t.test('a range stays as written, a bare address becomes a range of one', async (t) => {
  for (const [text, range] of [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.0.0.0/32', '10.0.0.0/32'],
    ['fd00::/8', 'fd00::/8'],
    ['::1', '::1/128'],
    ['::/128', '::/128'],
  ] as const) {
    t.equal(parseCidr(text), range, text)
  }
})

t.test('anything else is no range', async (t) => {
  const texts = [
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0/8',
    '10.0.0.0/8/8',
  ]
  for (const text of [...texts, 'localhost', '10.0.0.0/-1', 'fe80::1%eth0/64', '010.0.0.1', '/8']) {
    t.equal(parseCidr(text), undefined, text)
  }
})

t.test('only a prefix of no bits is everybody', async (t) => {
  t.strictSame(['0.0.0.0/0', '::/0', '0.0.0.0/1', '::/10', '0.0.0.0', 'x/0'].map(isEveryAddress), [
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})
