// Signatures are those of AWS's own vectors, of aws4 and of botocore, byte for byte (catalogue rows ).
import { hash } from 'node:crypto'
import aws4 from 'aws4'
import t from 'tap'
import type { AwsCredentials } from '../../src/aws/aws-credentials.ts'
import { toCanonicalTarget } from '../../src/aws/canonical-target.ts'
import { createSigner } from '../../src/aws/sigv4.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { botocorePython, NO_BOTOCORE, signByBotocore } from '../support/botocore.ts'
import { loadCorpus } from '../support/corpora.ts'
import { FUZZ_RUNS, FUZZ_SEED } from '../support/fuzz.ts'
import { createSeeded, type Seeded } from '../support/seeded.ts'

interface Vector {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
}

interface Context {
  readonly credentials: {
    readonly access_key_id: string
    readonly secret_access_key: string
    readonly token?: string
  }
  readonly normalize: boolean
  readonly sign_body: boolean
  readonly region: string
  readonly service: string
  readonly timestamp: string
  readonly omit_session_token?: boolean
}

/** Method, target, fields with lines of one name joined, and body, of a request as the vectors have it. */
function parseVector(text: string) {
  const [head = '', body = ''] = text.split('\n\n')
  const [first = '', ...lines] = head.replaceAll(/\n[ \t]+/g, ' ').split('\n')
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first) ?? []
  const headers: Record<string, string> = {}
  for (const line of lines.filter((line) => line !== '')) {
    const [, name = '', value = ''] = /^([^:]+):(.*)$/.exec(line) ?? []
    const earlier = headers[name.toLowerCase()]
    headers[name.toLowerCase()] = earlier === undefined ? value : `${earlier},${value}`
  }
  return { method, target, headers, body: body === '' ? undefined : Buffer.from(body) }
}

function toCredentials({ credentials, omit_session_token }: Context): AwsCredentials {
  return {
    accessKeyId: credentials.access_key_id,
    secretAccessKey: credentials.secret_access_key,
    sessionToken: omit_session_token === true ? undefined : credentials.token,
    expiresAtMs: Infinity,
  }
}

function sha256(body: Buffer | undefined): string {
  return hash('sha256', body ?? '')
}

t.test('A-01: AWS’s own vectors', async (t) => {
  const corpus = loadCorpus<{ cases: Vector[] }>(t, 'sigv4_test_suite')
  if (corpus === undefined) return
  t.equal(corpus.cases.length, 38)
  let notSent = 0
  for (const { name, files } of corpus.cases) {
    const context: Context = JSON.parse(files['context.json'] ?? '')
    const { target, ...request } = parseVector(files['request.txt'] ?? '')
    const canonical = toCanonicalTarget(target)
    if (canonical === undefined) {
      t.fail(`${name}: the target is taken`)
      continue
    }
    const isAmbiguous = 'refused' in parseRequestTarget(canonical.path, 'example.amazonaws.com')
    // Only S3 signs such a path as it is, and no client's request with one gets as far as that.
    const isS3 = !context.normalize && isAmbiguous
    if (isS3) notSent++
    const sign = createSigner({ ...context, isS3 })
    // The vectors write spaces and letters as they are, and sign their encoding: once, as any path of these services.
    const path = target.split('?')[0] ?? ''
    const payloadHash = context.sign_body ? sha256(request.body) : undefined
    const whole = { ...request, path, parameters: canonical.parameters, payloadHash }
    const signed = await sign(whole, toCredentials(context), Date.parse(context.timestamp))
    // The signature is of the string to sign, which holds the hash of the canonical request: equal here, equal there.
    const expected = /^Authorization:(.*)$/m.exec(files['header-signed-request.txt'] ?? '')?.[1]
    t.equal(signed.authorization, expected, name)
    t.match(signed.authorization, `Signature=${files['header-signature.txt']}`)
    t.equal(signed['x-amz-date'], '20150830T123600Z')
    t.equal(signed['x-amz-security-token'], toCredentials(context).sessionToken)
  }
  t.equal(notSent, 6, 'of those that are signed')
})

const RUNS = FUZZ_RUNS > 0 ? FUZZ_RUNS : 10_000
const BY_BOTOCORE = 2000
const NAMES = ['a', 'A', 'a-b', 'key', 'constructor', '%C3%A9', 'x%20y', 'q%2B', '%3D']
const PIECES = [
  ...['a', 'Z', '0', '-', '.x', '_', '~', '!', '$', "'", '(', ')', '*', '+', ',', ';', ':', '@'],
  ...['%20', '%2F', '%2f', '%25', '%2B', '%C3%A9', '%e1%88%b4', '%F0%9F%98%80', '%7E', '%41'],
]

interface Trial {
  readonly service: string
  readonly region: string
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  readonly credentials: AwsCredentials
  readonly atMs: number
}

function makeText(seeded: Seeded, pieces: readonly string[], most: number): string {
  return Array.from({ length: seeded.below(most + 1) }, () => seeded.pick(pieces)).join('')
}

function makeTarget(seeded: Seeded): string {
  const segments = Array.from({ length: seeded.below(4) }, () => `x${makeText(seeded, PIECES, 5)}`)
  const query = Array.from({ length: seeded.below(5) }, () => {
    const value = seeded.chance(0.8) ? `=${makeText(seeded, [...PIECES, '/', '?', '='], 4)}` : ''
    return `${seeded.pick(NAMES)}${value}`
  })
  const path = `/${segments.join('/')}${seeded.chance(0.2) && segments.length > 0 ? '/' : ''}`
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

function makeTrial(seeded: Seeded): Trial {
  const service = seeded.pick(['execute-api', 'dynamodb', 'lambda', 'sts', 'es', 'my-service'])
  const region = seeded.pick(['eu-west-1', 'us-east-1', 'us-gov-west-1', 'cn-north-1'])
  const bytes = Buffer.from(Array.from({ length: seeded.below(64) }, () => seeded.below(256)))
  const body = bytes.length === 0 ? undefined : bytes
  const values = ['x', 'A b', '  c', 'd   e  ', '"f  g"', 'h,i', '=', '']
  const maybe = (name: string) =>
    seeded.chance(0.5) ? { [name]: makeText(seeded, values, 3) } : {}
  const letters = [...'ABCDEFabcdef0123456789/+=']
  return {
    service,
    region,
    method: seeded.pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS']),
    target: makeTarget(seeded),
    headers: {
      host: seeded.pick([`${service}.${region}.amazonaws.com`, 'a.example.com:8443', 'localhost']),
      ...(body !== undefined && {
        'content-type': seeded.pick(['application/json', 'text/plain;  charset=utf-8']),
        'content-length': String(body.length),
      }),
      ...maybe('x-amz-target'),
      ...maybe('x-amz-meta-b'),
      ...maybe('x-amz-meta-b-c'),
      ...maybe('accept'),
    },
    body,
    credentials: {
      accessKeyId: `AKIA${makeText(seeded, letters.slice(0, 6), 16)}`,
      secretAccessKey: `s${makeText(seeded, letters, 40)}`,
      sessionToken: seeded.chance(0.5) ? `t${makeText(seeded, letters, 60)}` : undefined,
      expiresAtMs: Infinity,
    },
    atMs: Date.UTC(2026, 0, 1) + seeded.below(366 * 86_400) * 1000,
  }
}

function targetOf({ target }: Trial) {
  const canonical = toCanonicalTarget(target)
  if (canonical === undefined) throw new Error(`no canonical form: ${target}`)
  return canonical
}

async function sign(trial: Trial): Promise<string | undefined> {
  const { method, headers, body, credentials, atMs } = trial
  const request = { method, headers, body, ...targetOf(trial) }
  return (await createSigner(trial)(request, credentials, atMs)).authorization
}

function timestampOf({ atMs }: Trial): string {
  return new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

function toAws4(trial: Trial): unknown {
  const { service, region, method, headers, body, credentials } = trial
  const { path, query } = targetOf(trial)
  const request = {
    ...{ service, region, method, path: `${path}${query}`, ...(body && { body }) },
    headers: { ...headers, 'x-amz-date': timestampOf(trial) },
  }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  return aws4.sign(request, keys).headers?.Authorization
}

/** The same requests for both: the second test takes the first of them. */
function makeTrials(count: number): Trial[] {
  const seeded = createSeeded(FUZZ_SEED)
  return Array.from({ length: count }, () => makeTrial(seeded))
}

t.test('A-02: aws4 signs the same requests alike', async (t) => {
  const different: unknown[] = []
  for (const trial of makeTrials(RUNS)) {
    const [own, theirs] = [await sign(trial), toAws4(trial)]
    if (own !== theirs) different.push({ trial, own, theirs })
  }
  t.same(different.slice(0, 3), [])
  t.equal(different.length, 0, `${RUNS} requests`)
})

const python = botocorePython()

t.test('A-02: botocore signs them alike', { skip: python ? false : NO_BOTOCORE }, async (t) => {
  const trials = makeTrials(Math.min(RUNS, BY_BOTOCORE))
  const requests = trials.map((trial) => {
    const { service, region, method, headers, body, credentials } = trial
    const { path, query } = targetOf(trial)
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    return {
      ...{ service, region, method, headers, accessKeyId, secretAccessKey, sessionToken },
      url: `https://${headers.host}${path}${query}`,
      body: body?.toString('base64') ?? '',
      timestamp: timestampOf(trial),
    }
  })
  const theirs = await signByBotocore(python ?? '', requests)
  const own = await Promise.all(trials.map(sign))
  const different = trials.flatMap((trial, i) =>
    own[i] === theirs[i] ? [] : [{ trial, own: own[i], theirs: theirs[i] }],
  )
  t.same(different.slice(0, 3), [])
  t.equal(different.length, 0, `${trials.length} requests`)
})
