// MinIO, another project's S3, as a server of the test's own on loopback. It verifies every signature over the path as it writes that
// path itself, and knows temporary credentials. Where it is not installed the test skips aloud.
import { randomBytes } from 'node:crypto'
import { STSClient } from '@aws-sdk/client-sts'
import type { Test } from 'tap'
import { assumeRole, type IdentityCredentials, type StaticCredentials } from './assume-role.ts'
import { eventually } from './eventually.ts'
import { startServerProgram } from './server-program.ts'
import { toolProgram } from './tool-program.ts'

export interface Minio {
  readonly origin: string
  readonly region: string
  readonly root: StaticCredentials
  /** Temporary credentials that may do these actions alone, and no others. */
  assume(actions: readonly string[], sessionName: string): Promise<IdentityCredentials>
}

export const NO_MINIO = 'minio is neither at $POOLGATE_MINIO nor in the cache of .ci/peers.sh'

const REGION = 'eu-west-1'

export function minioProgram(): string | undefined {
  return toolProgram('POOLGATE_MINIO', 'minio')
}

/** Starts MinIO and waits until it answers; stopped when the test ends. */
export async function startMinio(t: Test): Promise<Minio> {
  const root = {
    accessKeyId: randomBytes(8).toString('hex'),
    secretAccessKey: randomBytes(16).toString('hex'),
  }
  const args = ['server', '--address', '127.0.0.1:0', t.testdir({})]
  const origin = await startServerProgram(t, minioProgram() ?? 'minio', args, /API: (\S+)/, {
    MINIO_ROOT_USER: root.accessKeyId,
    MINIO_ROOT_PASSWORD: root.secretAccessKey,
    MINIO_REGION: REGION,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  })
  const isReady = async () => (await fetch(`${origin}/minio/health/ready`)).ok
  await eventually('minio being ready', isReady, 60_000)
  const sts = new STSClient({ endpoint: origin, region: REGION, credentials: root })
  t.teardown(() => sts.destroy())
  return {
    origin,
    region: REGION,
    root,
    assume(actions, RoleSessionName) {
      const Statement = [{ Effect: 'Allow', Action: actions, Resource: ['arn:aws:s3:::*'] }]
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
      // It wants one and does not read it.
      const RoleArn = 'arn:aws:iam::123456789012:role/unread'
      return eventually(
        'minio giving credentials',
        () => assumeRole(sts, { RoleArn, RoleSessionName, Policy }),
        60_000,
      )
    },
  }
}
