// Where a service of AWS is, and how it wants to be asked. Made once for each upstream.
import { awsDomainOf } from '../config/region.ts'

export interface ServiceSettings {
  /** The name that signatures have for it. */
  readonly service: string
  readonly region: string
  readonly bucket?: string | undefined
  readonly pathStyle: boolean
  readonly function?: string | undefined
  /** Another place than the service's own. */
  readonly endpoint?: string | undefined
}

export interface ServicePlace {
  /** Scheme, host and port. */
  readonly origin: string
  /** What stands before every path; '' for nothing. */
  readonly prefix: string
}

export function toServicePlace(settings: ServiceSettings): ServicePlace {
  const { service, region, bucket, pathStyle, endpoint } = settings
  const regional = `${service}.${region}.${awsDomainOf(region)}`
  if (bucket !== undefined && (pathStyle || endpoint !== undefined)) {
    const isVirtual = !pathStyle && endpoint !== undefined
    return { origin: endpoint ?? `https://${regional}`, prefix: isVirtual ? '' : `/${bucket}` }
  }
  const host = bucket === undefined ? regional : `${bucket}.${regional}`
  return { origin: endpoint ?? `https://${host}`, prefix: '' }
}
