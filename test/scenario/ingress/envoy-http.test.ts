// Envoy asks by external authorization over HTTP, with the files of examples/envoy-http.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'envoy-http',
  peer: 'envoy',
  args: ['-c', 'envoy.yaml', '--log-level', 'error', '--concurrency', '1', '--disable-hot-restart'],
  renewsCookies: true,
})
