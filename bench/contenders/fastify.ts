// @fastify/http-proxy with either JWT library, in a process of its own on the Node that Poolgate runs on.
import { join } from 'node:path'
import { missingPackages, packageVersions } from '../installed.ts'
import { freePort, launch } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

export const fastifyFastJwt = createContender('fast-jwt')
export const fastifyAwsJwtVerify = createContender('aws-jwt-verify')

function createContender(library: 'fast-jwt' | 'aws-jwt-verify'): CheckedContender {
  const name = `fastify-${library}`
  const packages = ['fastify', '@fastify/http-proxy', library]
  return {
    name,
    verifies: true,
    missing: () => missingPackages(...packages),
    version: () => packageVersions(...packages),
    async start(world, { cpus, workers }) {
      if (workers > 1) throw new Error('one process')
      const port = await freePort()
      const app = join(import.meta.dirname, 'fastify-app.ts')
      const args = [String(port), library, JSON.stringify(world)]
      const command = [process.execPath, app, ...args] as const
      return launch({ name, dir: world.dir, cpus, command, port })
    },
  }
}
