// How targets are found: names that DNS can be asked for, and instances of EC2.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

const textFor = (discover: string) =>
  createConfigText({ upstreams: `upstreams:\n  orders: {discover: ${discover}}` })
const discoverOf = (text: string) =>
  loadConfig(textFor(text), 'c.yaml', {}).config.upstreams.orders?.discover
const problems = (text: string) =>
  messagesOf(textFor(text)).map((one) => one.replace('upstreams.orders.discover', ''))

t.test('a name is taken apart, and defaults are filled in', async (t) => {
  t.match(discoverOf('{dns: "http://Orders.internal.:8080"}'), {
    dns: { scheme: 'http:', host: 'orders.internal', port: 8080 },
    refreshMs: 5_000,
    servers: [],
    allowLinkLocal: false,
  })
  t.match(discoverOf('{dns: "https://a.b"}'), { dns: { scheme: 'https:', port: 443 } })
  t.match(discoverOf('{srv: "https://_http._tcp.a.b"}'), {
    srv: { scheme: 'https:', host: '_http._tcp.a.b' },
  })
  t.match(discoverOf('{ec2: {region: eu-west-1, port: 80, tags: {Name: a}}}'), {
    ec2: { scheme: 'http:', address: 'private', tags: { Name: 'a' } },
    refreshMs: 30_000,
  })
})

t.test('what can be no name to ask for is refused', async (t) => {
  const long = 'a'.repeat(64)
  for (const dns of [
    'a:80',
    'http://a/x',
    'http://a:0',
    `http://${long}`,
    `http://${'a.'.repeat(127)}b`,
  ]) {
    t.match(
      problems(`{dns: "${dns}"}`),
      [/^\.dns: expected an http or https origin with a name/],
      dns,
    )
  }
  t.strictSame(problems(`{dns: "http://${long.slice(1)}"}`), [])
  for (const srv of [
    'http://a.b',
    'http://_http.a',
    'http://_http._sctp.a',
    'http://_http._tcp.a:80',
    'http://_http._tcp',
  ]) {
    t.match(
      problems(`{srv: "${srv}"}`),
      [/^\.srv: expected a service by name and without port/],
      srv,
    )
  }
})

t.test('a name server is an address', async (t) => {
  const withServer = (server: string) => problems(`{dns: "http://a", servers: ["${server}"]}`)
  for (const fit of [
    '10.0.0.2',
    '10.0.0.2:53',
    'fd00::2',
    '[fd00::2]',
    '[fd00::2]:53',
    '1.1.1.1:65535',
  ]) {
    t.strictSame(withServer(fit), [], fit)
  }
  for (const unfit of [
    'dns.internal',
    '10.0.0',
    '10.0.0.2:0',
    '10.0.0.2:65536',
    '[10.0.0.2]:53',
    'a',
    '',
  ]) {
    t.match(withServer(unfit), [/^\.servers\[0\]: expected the address of a name server/], unfit)
  }
})

t.test('the refresh time is bounded on both sides', async (t) => {
  for (const fit of ['100ms', '1h'])
    t.strictSame(problems(`{dns: "http://a", refresh: ${fit}}`), [])
  for (const unfit of ['99ms', '61m'])
    t.match(problems(`{dns: "http://a", refresh: ${unfit}}`), [/^\.refresh: /])
})

t.test('the place of the EC2 API is one that credentials may be shown to', async (t) => {
  const at = (endpoint: string) =>
    problems(`{ec2: {region: eu-west-1, port: 80, tags: {a: b}, endpoint: "${endpoint}"}}`)
  for (const fit of ['https://ec2.example', 'http://127.0.0.1:5000']) t.strictSame(at(fit), [])
  t.match(at('http://ec2.example'), [/^\.ec2\.endpoint: expected an https URL/])
  t.match(problems('{ec2: {region: europe, port: 80, tags: {a: b}}}'), [
    /^\.ec2\.region: expected a region/,
  ])
})
