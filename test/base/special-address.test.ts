// Addresses that no name should lead to.
import t from 'tap'
import { toSpecialUse } from '../../src/base/special-address.ts'

t.test(
  'the metadata services and their neighbours are link-local, in every spelling',
  async (t) => {
    for (const address of [
      '169.254.169.254',
      '169.254.0.0',
      '169.254.255.255',
      '169.254.170.2',
      'fe80::1',
      'febf::1',
      'fd00:ec2::254',
      'fd00:0ec2:0:0::23',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '::169.254.169.254',
      '64:ff9b::169.254.169.254',
      '64:ff9b:1::a9fe:a9fe',
      '::ffff:0:169.254.169.254',
      '2002:a9fe:a9fe::1',
    ]) {
      t.equal(toSpecialUse(address), 'link-local', address)
    }
  },
)

t.test('what is no machine is told, and machines are not', async (t) => {
  for (const address of ['0.0.0.0', '0.1.2.3', '::']) {
    t.equal(toSpecialUse(address), 'unspecified', address)
  }
  for (const address of ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']) {
    t.equal(toSpecialUse(address), 'multicast', address)
  }
  for (const address of [
    '169.253.255.255',
    '169.255.0.0',
    '127.0.0.1',
    '10.0.0.1',
    '1.0.0.0',
    '223.255.255.255',
    '::1',
    'fec0::1',
    'fd00:ec3::254',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::1',
  ]) {
    t.equal(toSpecialUse(address), undefined, address)
  }
})
