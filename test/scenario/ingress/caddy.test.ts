// Caddy asks by forward_auth, with the files of examples/caddy.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'caddy',
  peer: 'caddy',
  args: ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  renewsCookies: false,
})
