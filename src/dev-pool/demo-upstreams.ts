// What stands behind the demo's routes: a service that shows what it gets, and a stand-in for S3. They start and stop together.
import type { Clock } from '../base/clock.ts'
import { type DemoUpstream, startDemoUpstream } from './demo-upstream.ts'
import type { DevIdentityPool } from './dev-pool.ts'
import { type S3StandIn, startS3StandIn } from './s3/s3-stand-in.ts'

export interface DemoUpstreams {
  readonly demo: DemoUpstream
  readonly files: S3StandIn
  stop(): Promise<void>
}

/** The role of its administrators may do everything with the files. */
const ADMINS = 'admins'

/** @param onFault a defect of the stand-in itself */
export async function startDemoUpstreams(
  { find, roleOf }: DevIdentityPool,
  clock: Clock,
  onFault: (error: unknown) => void,
): Promise<DemoUpstreams> {
  const adminRole = () => roleOf(ADMINS)
  const demo = await startDemoUpstream()
  const files = await startS3StandIn({ clock, port: 0, find, adminRole, onFault })
  return {
    demo,
    files,
    async stop() {
      await Promise.all([demo.stop(), files.stop()])
    },
  }
}
