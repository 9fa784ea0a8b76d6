// Signatures by botocore, the signer of AWS's Python SDK and command line, in one process for all. Where it is not installed the test
// skips aloud.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { motoProgram } from './moto.ts'

export interface BotocoreRequest {
  readonly service: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In base64. */
  readonly body: string
  /** As X-Amz-Date has it. */
  readonly timestamp: string
}

export const NO_BOTOCORE = 'no Python with botocore at $POOLGATE_MOTO_PYTHON or beside moto_server'

/** What SigV4Auth.add_auth does, but for the time, which it would take from the machine. */
const PROGRAM = `
import base64, json, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

def sign(r):
    keys = Credentials(r['accessKeyId'], r['secretAccessKey'], r.get('sessionToken'))
    auth = SigV4Auth(keys, r['service'], r['region'])
    body = base64.b64decode(r['body'])
    request = AWSRequest(method=r['method'], url=r['url'], headers=r['headers'], data=body)
    request.context['timestamp'] = r['timestamp']
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return request.headers['Authorization']

json.dump([sign(r) for r in json.load(sys.stdin)], sys.stdout)
`

/** The Python to run, or undefined. */
export function botocorePython(): string | undefined {
  const moto = motoProgram()
  const beside = moto === undefined ? undefined : join(dirname(moto), 'python')
  const python = process.env.POOLGATE_MOTO_PYTHON ?? beside
  return python !== undefined && existsSync(python) ? python : undefined
}

/** The Authorization field of each request, in order. */
export async function signByBotocore(
  python: string,
  requests: readonly BotocoreRequest[],
): Promise<string[]> {
  const child = spawn(python, ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(requests))
  const answer = await child.stdout.setEncoding('utf8').toArray()
  return JSON.parse(answer.join(''))
}
