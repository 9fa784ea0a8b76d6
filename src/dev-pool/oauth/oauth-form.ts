// A request to an OAuth endpoint of the dev pool, read and its client authenticated (RFC 6749 sections 2.3 and 3.2), or refused.
import { type Answer, type PoolRequest, toJson } from '../endpoint.ts'
import { type AppClient, type Clients, isSecretOf } from '../clients.ts'

export type OAuthErrorCode =
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'

/** A browser's page of any origin may ask: what it needs to know it has to bring along. */
export const CORS: Readonly<Record<string, string>> = { 'access-control-allow-origin': '*' }

export interface OAuthForm {
  readonly client: AppClient
  readonly get: (name: string) => string | undefined
}

export function readOAuthForm(request: PoolRequest, clients: Clients): OAuthForm | Answer {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return refuse('invalid_request')
  const form = new URLSearchParams(request.body)
  const names = [...form.keys()]
  if (new Set(names).size < names.length) return refuse('invalid_request')
  const get = (name: string) => form.get(name) || undefined
  const basic = parseBasic(request.headers.authorization)
  if (basic !== undefined && form.has('client_secret')) return refuse('invalid_request')
  const [id = get('client_id'), secret = get('client_secret')] = basic ?? []
  if (id === undefined) return refuse('invalid_request')
  const client = clients.find(id)
  const isOther = id !== (get('client_id') ?? id)
  if (client === undefined || isOther || !isSecretOf(client, secret)) {
    return refuse('invalid_client')
  }
  return { client, get }
}

/** As Cognito refuses: 400 and the code alone. */
export function refuse(error: OAuthErrorCode): Answer {
  return toJson(400, { error }, CORS)
}

export function answerPreflight(): Answer {
  const headers = {
    ...CORS,
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type',
  }
  return { status: 204, contentType: 'text/plain', body: '', headers }
}

function parseBasic(header: string | undefined): [string, string] | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return [decode(text.slice(0, Math.max(colon, 0))), decode(text.slice(colon + 1))]
}

/** The parts are form-encoded before they are joined. */
function decode(part: string): string {
  return new URLSearchParams(`x=${part}`).get('x') ?? ''
}
