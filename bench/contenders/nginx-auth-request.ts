// nginx with auth_request: to Poolgate, and to the Node processes that people write for it with either JWT library.
import { join } from 'node:path'
import type { StartOptions, World } from '../contender.ts'
import { missingCommand, missingPackages, packageVersions } from '../installed.ts'
import { freePort, launch, type RunningProgram, together } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'
import { nginx, nginxVersion, startNginx, type Verifiers } from './nginx.ts'
import { poolgate, startPoolgate } from './poolgate.ts'

/** Its verifier remembers verified tokens, which aws-jwt-verify does not, so that nginx is shown at its best. */
export const nginxAuthRequest = withNodeVerifier(
  'nginx-auth-request',
  ['node-verifier.ts', 'remembering'],
  'aws-jwt-verify',
)

const awsJwtVerify = withNodeVerifier(
  'nginx-aws-jwt-verify',
  ['node-verifier.ts', 'forgetting'],
  'aws-jwt-verify',
)

const fastJwt = withNodeVerifier(
  'nginx-fastify-fast-jwt',
  ['fastify-verifier.ts'],
  'fastify',
  'fast-jwt',
)

const nginxPoolgate = withPoolgate('nginx-poolgate', 'all')
/** nginx has an access log of its own, and none of the others writes a second one. */
const nginxPoolgateUnlogged = withPoolgate('nginx-poolgate-unlogged', 'none')

/** Who decides for nginx, and nobody; apart from the others, because nothing but the decision differs. */
export const deciders: readonly CheckedContender[] = [
  nginx,
  nginxPoolgate,
  nginxPoolgateUnlogged,
  nginxAuthRequest,
  awsJwtVerify,
  fastJwt,
]

interface Verifier extends Pick<Verifiers, 'path' | 'fields'> {
  missing(): string | undefined
  version(): string
  start(world: World, options: StartOptions): Promise<RunningProgram>
}

function withPoolgate(name: string, access: 'all' | 'none'): CheckedContender {
  const settings = { trustedProxies: ['127.0.0.1/32'], log: { level: 'warn', access } }
  return createContender(name, {
    missing: () => undefined,
    version: () => poolgate.version(),
    start: (world, { cpus }) => startPoolgate(world, { name: `asked-by-${name}`, cpus, settings }),
    path: '/_poolgate/auth-request',
    fields: {
      'X-Original-URL': '$scheme://$http_host$request_uri',
      'X-Original-Method': '$request_method',
    },
  })
}

function withNodeVerifier(
  name: string,
  [file, ...args]: readonly [string, ...string[]],
  ...packages: readonly string[]
): CheckedContender {
  return createContender(name, {
    missing: () => missingPackages(...packages),
    version: () => packageVersions(...packages),
    async start(world, { cpus }) {
      const port = await freePort()
      const program = join(import.meta.dirname, file)
      const command = [
        process.execPath,
        program,
        String(port),
        JSON.stringify(world),
        ...args,
      ] as const
      return launch({ name: `verifier-of-${name}`, dir: world.dir, cpus, command, port })
    },
    path: '',
    fields: {},
  })
}

/** On the same CPUs there are as many verifiers as nginx has workers. */
function createContender(name: string, verifier: Verifier): CheckedContender {
  const { path, fields } = verifier
  return {
    name,
    verifies: true,
    missing: () => missingCommand('nginx') ?? verifier.missing(),
    version: () => `${nginxVersion()}, ${verifier.version()}`,
    async start(world, options) {
      const one = { ...options, workers: 1 }
      const starts = Array.from({ length: options.workers }, () => verifier.start(world, one))
      const verifiers = await Promise.all(starts)
      try {
        const ports = verifiers.map(({ port }) => port)
        return together(
          await startNginx(name, world, options, { ports, path, fields }),
          ...verifiers,
        )
      } catch (error) {
        await Promise.all(verifiers.map((one) => one.stop()))
        throw error
      }
    },
  }
}
