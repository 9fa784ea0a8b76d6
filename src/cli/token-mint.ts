// `poolgate token mint`: asks a running dev pool for a token and prints it, for scripts. Talks to loopback only.
import { request } from 'node:http'
import { parseDuration } from '../config/duration.ts'
import type { CommandContext, ExitCode } from './command-context.ts'

export interface MintOptions {
  /** Any URL of the dev pool, its issuer for one. Default: http://127.0.0.1:9229 */
  readonly pool?: string | undefined
  readonly use?: string | undefined
  /** A duration such as 1h; 0s makes a token that has expired. */
  readonly expiresIn?: string | undefined
  /** In place of the user's own. */
  readonly group?: readonly string[] | undefined
  /** Of an access token, as it stands in it. */
  readonly scope?: string | undefined
  /** `name=value`, over everything else; a value that is JSON is taken as such. */
  readonly claim?: readonly string[] | undefined
}

const DEFAULT_POOL = 'http://127.0.0.1:9229'
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const TIMEOUT_MS = 5_000

/** 0 with the token alone on standard output; 1 when the dev pool gives none, 2 for options that cannot be meant. */
export async function mintToken(
  username: string,
  options: MintOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const pool = URL.parse(options.pool ?? DEFAULT_POOL)
  if (pool?.protocol !== 'http:' || !LOOPBACK.test(pool.hostname)) {
    context.stderr('token mint: --pool is the http URL of a dev pool on this machine\n')
    return 2
  }
  const form = toForm(username, options)
  if (typeof form === 'string') {
    context.stderr(`token mint: ${form}\n`)
    return 2
  }
  const { MINT_PATH } = await import('../dev-pool/mint-endpoint.ts')
  const { status, text } = await post(new URL(MINT_PATH, pool), form.toString())
  if (status === 200) context.stdout(text)
  else context.stderr(`token mint: ${pool.origin}: ${text.trim()}\n`)
  return status === 200 ? 0 : 1
}

/** A string says which option cannot be meant. */
function toForm(username: string, options: MintOptions): URLSearchParams | string {
  const { use, expiresIn, group = [], scope, claim = [] } = options
  const form = new URLSearchParams({ user: username })
  if (use !== undefined) form.set('use', use)
  if (scope !== undefined) form.set('scope', scope)
  for (const name of group) form.append('group', name)
  for (const text of claim) form.append('claim', text)
  if (expiresIn === undefined) return form
  const lifeMs = parseDuration(expiresIn)
  if (lifeMs === undefined) return '--expires-in is a duration such as 90s, 10m or 1h'
  form.set('expires_in', String(Math.floor(lifeMs / 1000)))
  return form
}

/** Status 0: nobody answered, and `text` says why. */
function post(url: URL, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', timeout: TIMEOUT_MS, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')))
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const text = error.code === 'ECONNREFUSED' ? 'no dev pool is running there' : error.message
      resolve({ status: 0, text })
    })
    sent.end(body)
  })
}
