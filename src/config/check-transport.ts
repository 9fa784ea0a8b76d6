// Rules between settings of how an upstream is spoken to. Reads values of any shape, so that one bad setting hides no other problem.
import { asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/** A setting that something else makes mean nothing. */
export function checkTransport(path: ConfigPath, upstream: Mapping): Finding[] {
  const findings: Finding[] = []
  if (upstream.http2 === true && upstream.engine === 'undici') {
    const message = 'is for HTTP/1.1 alone; leave it out beside http2'
    findings.push({ path: [...path, 'engine'], message })
  }
  if (upstream.tls !== undefined && isPlain(upstream)) {
    findings.push({ path: [...path, 'tls'], message: 'means nothing where no target is https' })
  }
  return findings
}

/** False also where the targets are not known. */
function isPlain(upstream: Mapping): boolean {
  const { dns, srv, ec2 } = asMapping(upstream.discover)
  const origins = [...asTexts(upstream.targets), asText(dns) ?? '', asText(srv) ?? '']
  const schemes = [...origins.map((text) => text.split(':')[0]), toEc2Scheme(ec2)]
  const known = schemes.filter((scheme) => scheme !== '' && scheme !== undefined)
  return known.length > 0 && !known.includes('https')
}

function toEc2Scheme(ec2: unknown): string | undefined {
  return ec2 === undefined ? undefined : (asText(asMapping(ec2).scheme) ?? 'http')
}
