// Where a service of AWS is, and how it wants to be asked. Made once for each upstream.
import { awsDomainOf } from '../config/region.ts'

export interface ServiceSettings {
  /** The name that signatures have for it. */
  readonly service: string
  readonly region: string
  readonly bucket?: string | undefined
  readonly pathStyle: boolean
  /** Another place than the service's own; that of the bucket, unless `pathStyle` is on. */
  readonly endpoint?: string | undefined
}

export interface ServicePlace {
  /** Scheme, host and port. */
  readonly origin: string
  /** What stands before every path; '' for nothing. */
  readonly prefix: string
}

export function toServicePlace({
  service,
  region,
  bucket,
  pathStyle,
  endpoint,
}: ServiceSettings): ServicePlace {
  const regional = `${service}.${region}.${awsDomainOf(region)}`
  const host = bucket === undefined || pathStyle ? regional : `${bucket}.${regional}`
  const prefix = bucket !== undefined && pathStyle ? `/${bucket}` : ''
  return { origin: endpoint ?? `https://${host}`, prefix }
}
