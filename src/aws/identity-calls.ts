// The calls by which an identity pool gives credentials: GetId and GetCredentialsForIdentity (the enhanced flow), or GetOpenIdToken and
// STS's AssumeRoleWithWebIdentity (the basic one). None is signed. What goes wrong becomes a value that repeats no token.
import { ask, type FetchLimits, readBody, type Unanswered } from '../base/bounded-fetch.ts'
import type { AwsCredentials } from './aws-credentials.ts'
import { readAwsError } from './aws-error.ts'

export interface CallFailure {
  /**
   * `denied`: the user gets none. `gone`: there is no such identity. `throttled`: too many calls. `misconfigured`: AWS will not say yes
   * before somebody has changed something there. `unavailable`: no answer, or none that can be used.
   */
  readonly failed: 'denied' | 'gone' | 'throttled' | 'misconfigured' | 'unavailable'
  readonly detail: string
}

/** Who issued it → the token. */
export type Logins = Readonly<Record<string, string>>

export interface IdentityCalls {
  getId(logins: Logins): Promise<string | CallFailure>
  /** @param roleArn undefined for the pool's own choice */
  getCredentials(
    identityId: string,
    logins: Logins,
    roleArn: string | undefined,
  ): Promise<AwsCredentials | CallFailure>
  getOpenIdToken(identityId: string, logins: Logins): Promise<string | CallFailure>
  /** @param sessionName stands in CloudTrail: 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -` */
  assumeRole(
    roleArn: string,
    sessionName: string,
    token: string,
  ): Promise<AwsCredentials | CallFailure>
}

export interface IdentityCallsSettings {
  readonly identityPoolId: string
  readonly accountId?: string | undefined
  /** Origins of the two APIs. */
  readonly endpoint: string
  readonly stsEndpoint: string
}

const FAILURES: Readonly<Record<string, CallFailure['failed']>> = {
  NotAuthorizedException: 'denied',
  InvalidParameterException: 'denied',
  ResourceConflictException: 'denied',
  AccessDenied: 'denied',
  InvalidIdentityToken: 'denied',
  ExpiredTokenException: 'denied',
  IDPRejectedClaim: 'denied',
  ResourceNotFoundException: 'gone',
  TooManyRequestsException: 'throttled',
  LimitExceededException: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  InvalidIdentityPoolConfigurationException: 'misconfigured',
  ValidationError: 'misconfigured',
  RegionDisabledException: 'misconfigured',
  InternalErrorException: 'unavailable',
  // A provider's trouble is that of its users alone.
  ExternalServiceException: 'misconfigured',
  IDPCommunicationError: 'misconfigured',
}

export function isFailure<T>(result: T | CallFailure): result is CallFailure {
  return typeof result === 'object' && result !== null && 'failed' in result
}

export function createIdentityCalls(
  { identityPoolId, accountId, endpoint, stsEndpoint }: IdentityCallsSettings,
  limits: FetchLimits,
): IdentityCalls {
  async function call(
    action: string,
    input: object,
    logins: Logins,
  ): Promise<Answered | CallFailure> {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityService.${action}`,
    }
    const body = JSON.stringify({ ...input, ...withLogins(logins) })
    return post(`${endpoint}/`, headers, body, `${action}:`, Object.values(logins))
  }

  async function post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    what: string,
    tokens: readonly string[],
  ): Promise<Answered | CallFailure> {
    const answer = await ask(url, { method: 'POST', headers, body }, limits, async (given) => {
      const bytes = await readBody(given, limits.maxBytes)
      if (!Buffer.isBuffer(bytes)) return bytes
      return { status: given.statusCode, text: bytes.toString('utf8') }
    })
    if (isUnanswered(answer)) return fail('unavailable', `${what} ${answer.message}`)
    return answer.status === 200 ? answer : toCallFailure(answer, what, tokens)
  }

  return {
    async getId(logins) {
      const account = accountId === undefined ? {} : { AccountId: accountId }
      const input = { IdentityPoolId: identityPoolId, ...account }
      return readText(await call('GetId', input, logins), 'GetId', 'IdentityId')
    },
    async getCredentials(identityId, logins, roleArn) {
      const role = roleArn === undefined ? {} : { CustomRoleArn: roleArn }
      const input = { IdentityId: identityId, ...role }
      const answer = await call('GetCredentialsForIdentity', input, logins)
      return isFailure(answer) ? answer : readCredentials(parse(answer.text)?.Credentials)
    },
    async getOpenIdToken(identityId, logins) {
      const answer = await call('GetOpenIdToken', { IdentityId: identityId }, logins)
      return readText(answer, 'GetOpenIdToken', 'Token')
    },
    async assumeRole(roleArn, sessionName, token) {
      const form = new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        WebIdentityToken: token,
      })
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const what = 'AssumeRoleWithWebIdentity:'
      const answer = await post(`${stsEndpoint}/`, headers, String(form), what, [token])
      return isFailure(answer) ? answer : readCredentials(readXml(answer.text))
    },
  }
}

interface Answered {
  readonly status: number
  readonly text: string
}

function isUnanswered(answer: Answered | Unanswered): answer is Unanswered {
  return 'ok' in answer
}

function fail(failed: CallFailure['failed'], detail: string): CallFailure {
  return { failed, detail }
}

/** An identity without logins is a guest's, so they are only left out on purpose. */
function withLogins(logins: Logins): object {
  return Object.keys(logins).length === 0 ? {} : { Logins: logins }
}

function toCallFailure(
  { status, text }: Answered,
  what: string,
  tokens: readonly string[],
): CallFailure {
  const { code, shown, words } = readAwsError(text, tokens)
  const known = Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined
  const about = [`${what} ${status}`, shown].filter(Boolean).join(' ')
  return fail(known ?? kindOf(status), words === '' ? about : `${about}: ${words}`)
}

/** What one caller's token can provoke must not hold up the others. */
function kindOf(status: number): CallFailure['failed'] {
  if (status === 429) return 'throttled'
  return status >= 400 && status < 500 ? 'misconfigured' : 'unavailable'
}

function readText(
  answer: Answered | CallFailure,
  action: string,
  field: string,
): string | CallFailure {
  if (isFailure(answer)) return answer
  const text = asText(parse(answer.text)?.[field])
  return text === '' ? fail('unavailable', `${action}: answered without ${field}`) : text
}

/** `SecretKey` is Cognito's word, `SecretAccessKey` STS's. Expiration is in seconds of the epoch, or an ISO 8601 text. */
function readCredentials(given: unknown): AwsCredentials | CallFailure {
  const { AccessKeyId, SecretKey, SecretAccessKey, SessionToken, Expiration } = asObject(given)
  const credentials = {
    accessKeyId: asText(AccessKeyId),
    secretAccessKey: asText(SecretKey ?? SecretAccessKey),
    sessionToken: asText(SessionToken),
    expiresAtMs:
      typeof Expiration === 'number' ? Expiration * 1_000 : Date.parse(asText(Expiration)),
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = credentials
  const isWhole = [accessKeyId, secretAccessKey, sessionToken].every((text) => FIELD.test(text))
  return isWhole && Math.abs(expiresAtMs) <= LAST_MS
    ? credentials
    : fail('unavailable', 'answered without whole credentials')
}

/** What a date can be (ECMA-262 section 21.4.1.1); nobody can be told of a later one. */
const LAST_MS = 8.64e15

/** What can stand in a header field and in a signature's scope. */
const FIELD = /^[!-~]+$/

function readXml(text: string): Readonly<Record<string, string | undefined>> {
  const names = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration']
  return Object.fromEntries(names.map((name) => [name, tagged(text, name)]))
}

/** The text of the first element of that name; none of those that are read has children or entities. */
function tagged(text: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<&]*)</${name}>`).exec(text)?.[1]?.trim()
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
