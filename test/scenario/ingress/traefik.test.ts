// Traefik asks by forwardAuth, with the files of examples/traefik.
import { tryIngress } from '../../support/ingress-trials.ts'

tryIngress({
  folder: 'traefik',
  peer: 'traefik',
  args: ['--configfile=traefik.yaml'],
  renewsCookies: true,
})
