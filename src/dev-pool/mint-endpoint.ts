// Tokens for the asking, without a password: what curl lines and `poolgate token mint` use. Never for a browser's page.
import type { TokenChanges, TokenUse } from './tokens.ts'

export const MINT_PATH = '/_dev/mint'

export interface MintRequest {
  readonly username: string
  readonly use: TokenUse
  readonly changes: TokenChanges
}

const FIELDS = ['user', 'use', 'expires_in', 'group', 'scope', 'claim']
const MAX_LIFE_SECONDS = 86_400

/**
 * Reads a form: `user`, `use` (access or id), `expires_in` (seconds, at most a day), `group` (repeated, in place of the
 * user's own), `scope` (as it stands in the token), `claim` (repeated, `name=value`; a value that is JSON is taken as such).
 * A string says what is wrong.
 */
export function parseMintRequest(form: string): MintRequest | string {
  const fields = new URLSearchParams(form)
  const unknown = [...fields.keys()].find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) return `unknown field ${unknown}; known are ${FIELDS.join(', ')}`
  const username = fields.get('user')
  if (!username) return 'user is required'
  const use = fields.get('use') ?? 'access'
  if (use !== 'access' && use !== 'id') return 'use is access or id'
  const expiresIn = fields.get('expires_in')
  const isLife = /^\d{1,5}$/.test(expiresIn ?? '0') && Number(expiresIn) <= MAX_LIFE_SECONDS
  if (!isLife) return `expires_in is a whole number of seconds from 0 to ${MAX_LIFE_SECONDS}`
  const claims = fields.getAll('claim').map(parseClaim)
  if (claims.includes(undefined)) return 'claim is name=value'
  return {
    username,
    use,
    changes: {
      expiresInSeconds: expiresIn === null ? undefined : Number(expiresIn),
      groups: fields.has('group') ? fields.getAll('group').filter(Boolean) : undefined,
      scope: fields.get('scope') ?? undefined,
      claims: Object.fromEntries(claims as [string, unknown][]),
    },
  }
}

function parseClaim(text: string): [string, unknown] | undefined {
  const at = text.indexOf('=')
  if (at < 1) return undefined
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value)]
  } catch {
    return [text.slice(0, at), value]
  }
}
