// Whether what arrived at AWS is signed, all of it, with a secret: recomputed with nothing of what signed it.
import { createHash, createHmac } from 'node:crypto'
import type { Received } from './upstream-server.ts'

/** Recomputed from what arrived (AWS, "Create a signed AWS API request"), with nothing of what signed it. */
export function isSignedWith(secret: string, { method, url, headers, body }: Received): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const [, date = '', region = '', service = '', names = '', signature] =
    pattern.exec(headers.authorization ?? '') ?? []
  const isEverySigned = Object.keys(headers).every(
    (name) => !(name === 'host' || name.startsWith('x-amz-')) || names.split(';').includes(name),
  )
  const [path = '', query = ''] = url.split('?')
  const sent = Buffer.from(body, 'latin1')
  const canonical = [
    method,
    service === 's3' ? path : path.split('/').map(encodeURIComponent).join('/'),
    query === '' ? '' : query.split('&').sort().join('&'),
    ...names
      .split(';')
      .map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    headers['x-amz-content-sha256'] ?? sha256(sent),
  ].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  return isEverySigned && hmac(key, toSign).toString('hex') === signature
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
