// Envoy asks by external authorization over gRPC, with the files of examples/envoy-grpc.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'envoy-grpc',
  peer: 'envoy',
  args: ['-c', 'envoy.yaml', '--log-level', 'error', '--concurrency', '1', '--disable-hot-restart'],
  renewsCookies: true,
})
