// Hosts in one spelling, and what is no host (catalogue rows P-24, P-25, H-11).
import t from 'tap'
import { parseHost } from '../../src/http/host.ts'

t.test('P-25: case, a last dot and the port do not make another host', async (t) => {
  t.same(parseHost('Api.Example.COM.:8080'), {
    name: 'api.example.com',
    port: '8080',
    authority: 'api.example.com:8080',
  })
  t.same(parseHost('a'), { name: 'a', port: '', authority: 'a' })
  t.match(parseHost('10.0.0.1:1'), { name: '10.0.0.1', port: '1' })
  t.match(parseHost('[::1]:8080'), { name: '[::1]', port: '8080' })
  t.match(parseHost('[FE80::1]'), { name: '[fe80::1]' })
  t.match(parseHost('[::ffff:1.2.3.4]'), { name: '[::ffff:1.2.3.4]' })
  t.match(parseHost('my_service.local'), { name: 'my_service.local' })
  t.match(parseHost('a:65535'), { port: '65535' })
})

t.test('P-24, H-11: anything but a name or address with a port is malformed', async (t) => {
  const bad = [
    undefined, '', ' ', 'a b', 'a,b', 'a/b', 'a?b', 'a#b', 'u@a', 'a\\b', 'a:', 'a:x', 'a:-1', 'a:65536', 'a:123456', ':80', '.', '..',
    '.a', 'a..b', '-a', 'a-', '[::1', '::1', '[::1]x', '[a b]', '[.]', '[1]', '[:::]', '[1.2.3.4]', '[fe80::1%eth0]', 'a\x00', 'a\t', 'é', 'a%2eb', 'a";for=1.2.3.4', '*', 'a:80:80',
  ] // prettier-ignore
  for (const value of bad)
    t.match(parseHost(value), { refused: true, reason: 'request_malformed' }, String(value))
})
