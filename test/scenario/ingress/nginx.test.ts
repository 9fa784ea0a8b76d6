// nginx asks by auth_request, with the files of examples/nginx.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'nginx',
  peer: 'nginx',
  args: ['-p', '.', '-c', 'nginx.conf'],
  renewsCookies: false,
})
