// Targets by EC2: the running instances of an Auto Scaling group, or those with certain tags. The client is loaded only where it is
// configured, and finds credentials the way that AWS's programs do.
import type { EC2Client, Filter, Instance } from '@aws-sdk/client-ec2'
import type { Answer, LookUp } from './discovery.ts'
import { toOrigin } from './name-lookup.ts'

export interface Ec2Settings {
  readonly region: string
  /** `http:` or `https:` */
  readonly scheme: string
  readonly port: number
  readonly autoScalingGroup?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly address: 'private' | 'public' | 'ipv6'
  /** Another place of the EC2 API than the region's own. */
  readonly endpoint?: string | undefined
}

const PAGE_SIZE = 1_000

export function createEc2LookUp(settings: Ec2Settings, pageSize = PAGE_SIZE): LookUp {
  const { region, endpoint } = settings
  const query = { Filters: toFilters(settings), MaxResults: pageSize }
  let client: EC2Client | undefined
  return {
    async ask(signal) {
      const ec2 = await import('@aws-sdk/client-ec2')
      client ??= new ec2.EC2Client({ region, ...(endpoint !== undefined && { endpoint }) })
      const instances: Instance[] = []
      const pages = ec2.paginateDescribeInstances({ client }, query, { abortSignal: signal })
      for await (const { Reservations = [] } of pages) {
        instances.push(...Reservations.flatMap((reservation) => reservation.Instances ?? []))
      }
      return toAnswer(instances, settings)
    },
    close: () => client?.destroy(),
  }
}

function toFilters({ autoScalingGroup, tags = {} }: Ec2Settings): Filter[] {
  const wanted =
    autoScalingGroup === undefined ? tags : { 'aws:autoscaling:groupName': autoScalingGroup }
  return [
    { Name: 'instance-state-name', Values: ['running'] },
    ...Object.entries(wanted).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] })),
  ]
}

function toAnswer(instances: readonly Instance[], { scheme, port, address }: Ec2Settings): Answer {
  const targets: Answer['targets'][number][] = []
  const leftOut: string[] = []
  for (const instance of instances) {
    const found = toAddress(instance, address)
    if (found === undefined) leftOut.push(`${instance.InstanceId} has no ${address} address`)
    else targets.push({ target: toOrigin(scheme, found, port) })
  }
  return { targets, leftOut }
}

function toAddress(instance: Instance, kind: Ec2Settings['address']): string | undefined {
  if (kind === 'private') return instance.PrivateIpAddress || undefined
  if (kind === 'public') return instance.PublicIpAddress || undefined
  const [first] = (instance.NetworkInterfaces ?? []).flatMap((one) => one.Ipv6Addresses ?? [])
  return (instance.Ipv6Address ?? first?.Ipv6Address) || undefined
}
