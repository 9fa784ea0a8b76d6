// Whose word counts about the caller's address (catalogue rows H-09, H-10).
import t from 'tap'
import { clientAddress, compileTrustedProxies } from '../../src/http/client-address.ts'
import { fc } from '../support/fuzz.ts'

const isTrusted = compileTrustedProxies(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '::1'])

t.test('nobody is trusted by default', async (t) => {
  const nobody = compileTrustedProxies([])
  t.notOk(nobody('127.0.0.1'))
  t.equal(clientAddress('127.0.0.1', '1.2.3.4', nobody), '127.0.0.1')
})

t.test('peers of a unix socket have no address, and are trusted by a word', async (t) => {
  const unix = compileTrustedProxies(['unix', '10.0.0.1/32'], true)
  t.ok(unix(''))
  t.ok(unix('10.0.0.1'))
  t.notOk(unix('10.0.0.2'))
  t.equal(clientAddress('', '1.2.3.4, 10.0.0.1', unix), '1.2.3.4')
})

t.test('H-10: IPv4 written as IPv6 and zone ids change nothing', async (t) => {
  for (const address of [
    '10.0.0.0',
    '10.255.255.255',
    '::ffff:10.1.2.3',
    '::FFFF:192.168.1.1',
    '::ffff:a01:203',
    '0:0:0:0:0:ffff:10.1.2.3',
    'fd12::1',
    'fd12::1%eth0',
    '::1',
  ]) {
    t.ok(isTrusted(address), address)
  }
  for (const address of [
    '9.255.255.255',
    '11.0.0.0',
    '192.168.1.2',
    '::ffff:11.0.0.1',
    'fe00::1',
    '::2',
    '',
    'unknown',
    '10.0.0.1.2',
    '10.0.0.1%eth0',
    '::10.0.0.1',
    '[::1]',
    '_hidden',
  ]) {
    t.notOk(isTrusted(address), address)
  }
})

t.test(
  'the walk goes from the nearest proxy outwards and ends at the first stranger',
  async (t) => {
    const cases: [string, string | undefined, string][] = [
      ['8.8.8.8', '1.1.1.1', '8.8.8.8'],
      ['10.0.0.1', undefined, '10.0.0.1'],
      ['10.0.0.1', '1.1.1.1', '1.1.1.1'],
      ['10.0.0.1', '6.6.6.6, 1.1.1.1', '1.1.1.1'],
      ['10.0.0.1', '6.6.6.6, 1.1.1.1,\t10.0.0.2', '1.1.1.1'],
      ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
      ['10.0.0.1', '1.1.1.1:4711', '1.1.1.1'],
      ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
      ['10.0.0.1', '[2001:db8::1]', '2001:db8::1'],
      ['10.0.0.1', '2001:db8::1', '2001:db8::1'],
      ['10.0.0.1', '::ffff:1.1.1.1', '1.1.1.1'],
      ['10.0.0.1', '6.6.6.6, 1.1.1.1, ::ffff:a00:2', '1.1.1.1'],
      ['10.0.0.1', '2001:DB8:0:0::1', '2001:db8::1'],
      ['::ffff:10.0.0.1', undefined, '10.0.0.1'],
      ['::ffff:8.8.8.8', '1.1.1.1', '8.8.8.8'],
      ['', '1.1.1.1', ''],
    ]
    for (const [peer, forwarded, client] of cases)
      t.equal(clientAddress(peer, forwarded, isTrusted), client, `${peer} ${forwarded}`)
  },
)

t.test('an entry that is no address ends the walk where it was', async (t) => {
  for (const entry of [
    'unknown',
    '_hidden',
    '',
    'a.b.c.d',
    '1.1.1',
    '1.1.1.1.',
    '999.1.1.1',
    '[::1',
    'x:1',
    '1.1.1.1%eth0',
  ]) {
    t.equal(clientAddress('10.0.0.1', `1.1.1.1, ${entry}`, isTrusted), '10.0.0.1', entry)
    t.equal(clientAddress('10.0.0.1', `1.1.1.1, ${entry}, 10.0.0.2`, isTrusted), '10.0.0.2', entry)
  }
})

t.test('a chain of more proxies than there are is not followed to its end', async (t) => {
  const chain = (count: number) =>
    Array.from({ length: count }, (_, i) => `10.0.1.${count - i}`).join(', ')
  t.equal(clientAddress('10.0.0.1', `1.1.1.1, ${chain(31)}`, isTrusted), '1.1.1.1')
  t.equal(clientAddress('10.0.0.1', `1.1.1.1, ${chain(32)}`, isTrusted), '10.0.1.32')
  t.equal(clientAddress('10.0.0.1', chain(200), isTrusted), '10.0.1.32')
})

t.test('what stands beyond the first stranger never counts', async (t) => {
  const entry = fc.oneof(
    fc.constantFrom('10.0.0.1', '10.9.9.9:80', '::ffff:10.0.0.1', 'fd00::1%eth0', '[fd00::2]:443'),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('unknown', '', '_x', '10.0.0', '[10.0.0.1'),
  )
  fc.assert(
    fc.property(
      fc.array(entry),
      fc.array(entry, { maxLength: 30 }),
      fc.ipV4(),
      (beyond, within, stranger) => {
        fc.pre(!isTrusted(stranger))
        const seen = clientAddress('10.0.0.1', [stranger, ...within].join(','), isTrusted)
        const whole = clientAddress('10.0.0.1', [...beyond, stranger, ...within].join(), isTrusted)
        return whole === seen
      },
    ),
  )
  t.pass('for every generated case')
})
