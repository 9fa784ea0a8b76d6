// HAProxy asks by a script of ours, with the files of examples/haproxy.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'haproxy',
  peer: 'haproxy',
  args: ['-db', '-f', 'haproxy.cfg'],
  renewsCookies: true,
})
