// STS's AssumeRoleWithWebIdentity, for the identity pool's own tokens: the second half of the basic flow. A group's role is for its members.
import { randomUUID } from 'node:crypto'
import type { Answer, PoolRequest } from '../endpoint.ts'
import type { PoolParts } from '../pool-parts.ts'
import { toXmlText } from '../xml-text.ts'
import type { Issued } from './issued-credentials.ts'
import type { OpenIdIdentity } from './open-id-tokens.ts'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[\x21-\x7e]*\/)?([\w+=,.@-]+)$/
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/
const LIFE_SECONDS = 3600

/** Parameters come in the body, as a form. */
export async function answerSts(parts: PoolParts, { body }: PoolRequest): Promise<Answer> {
  const form = new URLSearchParams(body)
  const get = (name: string) => form.get(name) ?? ''
  const action = get('Action')
  if (action !== 'AssumeRoleWithWebIdentity') {
    return refuse(400, 'InvalidAction', `Could not find operation ${action}`)
  }
  const role = ROLE_ARN.exec(get('RoleArn'))
  const sessionName = get('RoleSessionName')
  const lifeSeconds = Number(form.get('DurationSeconds') ?? LIFE_SECONDS)
  const isLife = Number.isInteger(lifeSeconds) && lifeSeconds >= 900 && lifeSeconds <= 43_200
  if (role === null) return refuse(400, 'ValidationError', 'Invalid RoleArn')
  if (!SESSION_NAME.test(sessionName)) {
    return refuse(400, 'ValidationError', 'Invalid RoleSessionName')
  }
  if (!isLife) return refuse(400, 'ValidationError', 'Invalid DurationSeconds')
  const identity = await parts.openIdTokens.verify(get('WebIdentityToken'))
  if (identity === 'expired') return refuse(400, 'ExpiredTokenException', 'Token expired')
  if (identity === 'invalid') {
    return refuse(400, 'InvalidIdentityToken', 'No OpenIDConnect provider found in your account')
  }
  const [roleArn, account = '', name = ''] = role
  if (!trusts(parts, roleArn, identity)) return refuse(403, 'AccessDenied', DENIED)
  const { identityId, tags } = identity
  const issued = parts.issued.issue({ identityId, roleArn, tags }, lifeSeconds)
  const arn = `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}`
  return toAnswer(200, toResponse(issued, arn, parts.identityPool.id))
}

/** Trust policies of users' roles ask for `authenticated` alone, but here a group's role wants its members. */
function trusts(
  { identityPool, store }: PoolParts,
  roleArn: string,
  { provider, roles }: OpenIdIdentity,
): boolean {
  const isGuests = roleArn === identityPool.unauthenticatedRole
  if (provider === undefined) return isGuests && identityPool.allowGuests
  const isGroups = [...store.directory().groups.values()].some(({ role }) => role === roleArn)
  return !isGuests && (!isGroups || roles.includes(roleArn))
}

function toResponse(issued: Issued, arn: string, audience: string): string {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs, identityId } = issued
  const action = 'AssumeRoleWithWebIdentity'
  const expiration = new Date(expiresAtMs).toISOString().replace('.000Z', 'Z')
  const [, , , , , role = ''] = arn.split(':')
  return (
    `<${action}Response xmlns="${NAMESPACE}"><${action}Result>` +
    toXmlText({
      SubjectFromWebIdentityToken: identityId,
      Audience: audience,
      AssumedRoleUser: {
        Arn: arn,
        AssumedRoleId: `AROADEVPOOL0000000000:${role.slice(role.lastIndexOf('/') + 1)}`,
      },
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: expiration,
      },
      Provider: 'cognito-identity.amazonaws.com',
    }) +
    `</${action}Result>${toXmlText({ ResponseMetadata: { RequestId: randomUUID() } })}</${action}Response>`
  )
}

function refuse(status: number, code: string, message: string): Answer {
  const error = { Error: { Type: 'Sender', Code: code, Message: message }, RequestId: randomUUID() }
  return toAnswer(status, `<ErrorResponse xmlns="${NAMESPACE}">${toXmlText(error)}</ErrorResponse>`)
}

function toAnswer(status: number, body: string): Answer {
  return { status, contentType: 'text/xml', body: `${body}\n` }
}

const DENIED = 'Not authorized to perform sts:AssumeRoleWithWebIdentity'
