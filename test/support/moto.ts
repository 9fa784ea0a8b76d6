// moto, another project's AWS, as a server of the test's own on loopback with its IAM checks switched on: it verifies every
// signature and asks the role's policies. Where it is not installed the test skips aloud.
import { STSClient } from '@aws-sdk/client-sts'
import type { Test } from 'tap'
import { assumeRole, type IdentityCredentials, type StaticCredentials } from './assume-role.ts'
import { startServerProgram } from './server-program.ts'
import { toolProgram } from './tool-program.ts'

export interface Moto {
  readonly origin: string
  readonly region: string
  /** A user who may do everything; for setting things up. */
  readonly administrator: StaticCredentials
  /** Makes a role with these statements of an IAM policy; its ARN. */
  createRole(name: string, statements: readonly object[]): Promise<string>
  /** Credentials of that role, as moto's STS gives them. */
  assume(roleArn: string, sessionName: string): Promise<IdentityCredentials>
  /** What the next calls of Lambda functions answer, one each; without one they answer their own payload. */
  answerLambdas(results: readonly string[]): Promise<void>
  /** From here on each request needs a signature that is right and a policy that allows it. */
  checkSignatures(): Promise<void>
}

export const NO_MOTO = 'moto_server is neither at $POOLGATE_MOTO nor in the cache of .ci/peers.sh'

const REGION = 'eu-west-1'
const ACCOUNT = '123456789012'

export function motoProgram(): string | undefined {
  return toolProgram('POOLGATE_MOTO', 'moto/bin/moto_server')
}

/** Starts moto and waits until it answers; stopped when the test ends. */
export async function startMoto(t: Test): Promise<Moto> {
  const program = motoProgram() ?? 'moto_server'
  const args = ['-H', '127.0.0.1', '-p', '0']
  const origin = await startServerProgram(t, program, args, /Running on (\S+)/)
  await post(origin, '/moto-api/config', { lambda: { use_docker: false } })
  const administrator = await createAdministrator(origin)
  const sts = new STSClient({ endpoint: origin, region: REGION, credentials: administrator })
  t.teardown(() => sts.destroy())
  return {
    origin,
    region: REGION,
    administrator,
    createRole: (name, statements) => createRole(origin, name, statements),
    assume: (RoleArn, RoleSessionName) => assumeRole(sts, { RoleArn, RoleSessionName }),
    answerLambdas: (results) =>
      post(origin, '/moto-api/static/lambda-simple/response', { results, region: REGION }),
    checkSignatures: () => post(origin, '/moto-api/reset-auth', '0'),
  }
}

async function post(origin: string, path: string, body: object | string): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(`${origin}${path}`, { method: 'POST', body: text })
  if (!answer.ok) throw new Error(`moto ${path}: ${answer.status} ${await answer.text()}`)
}

/** One call of IAM's query API, from before signatures are checked: the header only says which service is meant. */
async function iam(origin: string, Action: string, fields: Record<string, string>) {
  const answer = await fetch(origin, {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=setup/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: new URLSearchParams({ Action, Version: '2010-05-08', ...fields }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`moto ${Action}: ${answer.status} ${text}`)
  return (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? ''
}

function toPolicy(statements: readonly object[]): string {
  const Statement = statements.map((each) => ({ Effect: 'Allow', Resource: '*', ...each }))
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

const ADMINISTRATOR = 'administrator'

async function createAdministrator(origin: string): Promise<StaticCredentials> {
  await iam(origin, 'CreateUser', { UserName: ADMINISTRATOR })
  await iam(origin, 'PutUserPolicy', {
    UserName: ADMINISTRATOR,
    PolicyName: 'everything',
    PolicyDocument: toPolicy([{ Action: '*' }]),
  })
  const read = await iam(origin, 'CreateAccessKey', { UserName: ADMINISTRATOR })
  return { accessKeyId: read('AccessKeyId'), secretAccessKey: read('SecretAccessKey') }
}

async function createRole(origin: string, RoleName: string, statements: readonly object[]) {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/${ADMINISTRATOR}` },
        Action: 'sts:AssumeRole',
      },
    ],
  }
  const AssumeRolePolicyDocument = JSON.stringify(trust)
  const read = await iam(origin, 'CreateRole', { RoleName, AssumeRolePolicyDocument })
  if (statements.length > 0) {
    const PolicyDocument = toPolicy(statements)
    await iam(origin, 'PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument })
  }
  return read('Arn')
}
