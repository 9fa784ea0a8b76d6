// What each upstream depends on of the whole configuration.
import type { Config } from '../config/schema.ts'
import { readTlsFiles } from '../upstream/read-tls-files.ts'
import type { UpstreamSettings } from '../upstream/upstream.ts'
import { type AwsSource, toAwsSource } from './aws-sources.ts'

type UpstreamConfig = Config['upstreams'][string]

export type UpstreamSource = Omit<UpstreamConfig, 'tls' | 'aws' | 'handOut'> &
  Pick<UpstreamSettings, 'tls'> & {
    readonly aws: AwsSource | undefined
    readonly handOut: (UpstreamConfig['handOut'] & { readonly pool: unknown }) | undefined
  }

/** With all that a part is made of, so that a renewed certificate, or another identity pool, is another setting. */
export function toUpstreamSources(config: Config): Readonly<Record<string, UpstreamSource>> {
  const sources = Object.entries(config.upstreams).map(
    ([name, { tls, aws: given, handOut, ...rest }]): [string, UpstreamSource] => {
      const aws = given && toAwsSource(given, config)
      const own = { ...rest, tls: tls && readTlsFiles(tls), aws }
      return [
        name,
        {
          ...own,
          ...(aws !== undefined && { targets: [aws.origin], host: 'upstream' }),
          handOut: handOut && { ...handOut, pool: config.identityPools[handOut.identityPool] },
        },
      ]
    },
  )
  return Object.fromEntries(sources)
}
