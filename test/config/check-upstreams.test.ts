// Rules between the settings of an upstream, and targets that can never work.
import t from 'tap'
import { checkUpstreams } from '../../src/config/check-upstreams.ts'
import { toPathText } from '../../src/config/problem.ts'

function check(orders: unknown, top: Record<string, unknown> = {}) {
  return checkUpstreams({ upstreams: { orders }, ...top }).map(
    ({ path, message }) => `${toPathText(path).replace('upstreams.orders.', '')}: ${message}`,
  )
}

const DNS = { dns: 'http://orders.internal:8080' }

t.test('targets are either listed or discovered', async (t) => {
  t.strictSame(check({ targets: ['http://a'] }), [])
  t.strictSame(check({ discover: DNS }), [])
  t.match(check({}), [/^targets: is required, or discover/])
  t.match(check({ targets: ['http://a'], discover: DNS }), [
    /^discover: cannot stand beside targets/,
  ])
  t.strictSame(check('x'), [])
})

t.test('they are discovered in one way', async (t) => {
  t.match(check({ discover: {} }), [/^discover: needs dns, srv or ec2/])
  t.match(check({ discover: { ...DNS, srv: 'http://_http._tcp.a' } }), [
    /^discover\.srv: cannot stand beside dns/,
  ])
})

t.test('what would be passed over is told', async (t) => {
  t.match(check({ targets: ['http://a'], hashOn: 'x' }), [
    /^hashOn: says nothing without balance: hash/,
  ])
  t.strictSame(check({ targets: ['http://a'], balance: 'hash', hashOn: 'x' }), [])
  const ec2 = { region: 'eu-west-1', port: 80, autoScalingGroup: 'a' }
  t.strictSame(check({ discover: { ec2 } }), [])
  t.match(check({ discover: { ec2, servers: ['10.0.0.1'], allowLinkLocal: true } }), [
    /^discover\.servers: says nothing beside ec2/,
    /^discover\.allowLinkLocal: says nothing beside ec2/,
  ])
})

t.test('EC2 is asked for a group or for tags, and never for everything', async (t) => {
  const withEc2 = (more: object) =>
    check({ discover: { ec2: { region: 'eu-west-1', port: 80, ...more } } })
  t.strictSame(withEc2({ tags: { Name: 'a' } }), [])
  t.match(withEc2({ tags: { Name: 'a' }, autoScalingGroup: 'a' }), [
    /^discover\.ec2\.tags: cannot stand/,
  ])
  t.match(withEc2({}), [/^discover\.ec2: needs autoScalingGroup or tags/])
  t.match(withEc2({ tags: {} }), [/^discover\.ec2: needs autoScalingGroup or tags/])
})

t.test('an address is no name', async (t) => {
  for (const host of ['10.0.0.1', '[::1]', '0x7f.1']) {
    t.match(check({ discover: { dns: `http://${host}:8080` } }), [
      /^discover\.dns: an address never changes; write it in targets/,
    ])
  }
})

t.test('the same target twice, however it is spelled', async (t) => {
  for (const [one, other] of [
    ['http://a', 'http://A:80'],
    ['http://a:8080/', 'http://a.:8080'],
    ['https://a', 'https://a:443'],
    ['http://127.0.0.1:81', 'http://0x7f.1:81'],
    ['http://[::1]:81', 'http://[0:0:0:0:0:0:0:1]:81'],
    ['unix:/a', 'unix:/a'],
  ]) {
    t.strictSame(
      check({ targets: [one, other] }),
      ['targets[1]: is the same as targets[0]'],
      `${other}`,
    )
  }
  t.strictSame(
    check({ targets: ['http://a', 'https://a', 'http://a:81', 'unix:/a', 'unix:/b'] }),
    [],
  )
})

t.test('where nothing can be reached', async (t) => {
  t.match(check({ targets: ['http://a:0'] }), [/^targets\[0\]: nothing can be reached at port 0/])
  for (const host of ['0.0.0.0', '[::]', '224.0.0.1']) {
    t.match(check({ targets: [`http://${host}:81`] }), [
      /^targets\[0\]: is no address to connect to/,
    ])
  }
})

t.test("the gateway's own addresses would go round", async (t) => {
  for (const [listen, target] of [
    ['127.0.0.1:8081', 'http://127.0.0.1:8081'],
    ['127.0.0.1:80', 'http://127.0.0.1'],
    ['127.0.0.1:8081', 'http://localhost:8081'],
    ['localhost:8081', 'http://127.0.0.1:8081'],
    ['0.0.0.0:8081', 'http://127.0.0.1:8081'],
    ['[::]:8443', 'https://[::1]:8443'],
    ['Gate.internal:8081', 'http://gate.internal:8081'],
    ['unix:/run/a', 'unix:/run/a'],
  ]) {
    const own = /^targets\[0\]: is the gateway's own listen/
    t.match(check({ targets: [target] }, { listen }), [own], `${listen} ${target}`)
    t.match(check({ targets: [target] }, { listen: { address: listen } }), [own])
  }
  t.match(check({ targets: ['http://127.0.0.1:9090'] }), [/the gateway's own admin/])
  for (const [listen, target] of [
    ['127.0.0.1:8081', 'http://127.0.0.1:8082'],
    ['127.0.0.1:8081', 'http://127.0.0.2:8081'],
    ['0.0.0.0:8081', 'http://10.0.0.1:8081'],
    ['127.0.0.1:0', 'http://a'],
    ['unix:/run/a', 'unix:/run/b'],
  ]) {
    t.strictSame(check({ targets: [target] }, { listen }), [], `${listen} ${target}`)
  }
})
