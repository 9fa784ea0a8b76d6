// Makes a key and a certificate that signs itself, for tests of TLS. Both live for one test run only.
import { generateKeyPairSync, sign } from 'node:crypto'

export interface SelfSigned {
  /** PEM, PKCS #8. */
  readonly key: string
  /** PEM, X.509. */
  readonly cert: string
}

const SEQUENCE = 0x30
const SET = 0x31
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex')

interface Options {
  readonly names?: readonly string[]
  /** `YYMMDDhhmmssZ` */
  readonly until?: string
}

/** A P-256 certificate for `localhost` or other names, and for 127.0.0.1 where there are no others; good from 2020, to 2049 by default. */
export function createSelfSigned({ names, until = '491231235959Z' }: Options = {}): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256)
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(0x0c, 'localhost'))))
  const validity = der(SEQUENCE, der(0x17, '200101000000Z'), der(0x17, until))
  const address = names === undefined ? [der(0x87, Buffer.from([127, 0, 0, 1]))] : []
  const alternatives = (names ?? ['localhost']).map((text) => der(0x82, text))
  const extensions = der(
    0xa3,
    der(
      SEQUENCE,
      der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, ...alternatives, ...address))),
    ),
  )
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = der(SEQUENCE, body, algorithm, der(0x03, Buffer.from([0]), signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}

/** One DER element (X.690 section 8.1). */
function der(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
