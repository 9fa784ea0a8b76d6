// /logout: forgets the browser's sign-in, then leads to a URL of the client's, or to signing in again. Never to another place.
import type { PoolParts } from '../pool-parts.ts'
import { type Answer, type PoolRequest, redirectTo } from '../endpoint.ts'
import { NO_COOKIE } from './browsers.ts'
import { toErrorPage } from './error-page.ts'

export function answerLogout(options: PoolParts, request: PoolRequest): Answer {
  const target = toTarget(options, request.query)
  if ('refused' in target) return toErrorPage(400, target.refused)
  const browser = options.browsers.find(request.headers.cookie)
  if (browser !== undefined) options.browsers.end(browser)
  const answer = redirectTo(target.location)
  return { ...answer, headers: { ...answer.headers, 'set-cookie': NO_COOKIE } }
}

function toTarget(
  { clients }: PoolParts,
  query: URLSearchParams,
): { readonly location: string } | { readonly refused: string } {
  if (clients.find(query.get('client_id') ?? '') === undefined) {
    return { refused: 'Client does not exist.' }
  }
  const [logoutUri, redirectUri] = [query.get('logout_uri'), query.get('redirect_uri')]
  if (logoutUri !== null) {
    const location = clients.toLogoutTarget(logoutUri)
    return location === undefined ? { refused: 'logout_uri is not registered.' } : { location }
  }
  // The page itself checks the rest.
  if (redirectUri !== null && query.has('response_type')) {
    return { location: `/login?${query.toString()}` }
  }
  return { refused: 'logout_uri is missing, or redirect_uri with response_type.' }
}
