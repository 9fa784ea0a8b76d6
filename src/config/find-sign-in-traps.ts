// Sign-in that loads and yet goes wrong in browsers: nobody is sent to sign in, nobody is let in, or nobody can stay out. Warnings
// alone, which tell no value: it may have come from the environment.
import { answering, coversPath, foldHosts, type Route, takesHost } from './answering.ts'
import type { Config } from './schema.ts'
import type { SessionSettings } from './schema-session.ts'
import { regionOf } from './user-pool-defaults.ts'
import type { Finding } from './yaml-source.ts'

export function findSignInTraps(config: Config): Finding[] {
  return [
    ...Object.entries(config.sessions).flatMap(([name, session]) => [
      ...warnOfNoRoute(name, config),
      ...warnOfRegion(name, session, config),
      ...warnOfSignedOut(name, session, config),
    ]),
    ...config.routes.flatMap((route, index) => [
      ...warnOfForeignHosts(route, index, config),
      ...warnOfIdClaims(route, index),
    ]),
  ]
}

function warnOfNoRoute(name: string, { routes }: Config): Finding[] {
  if (routes.some(({ signIn }) => signIn === name)) return []
  const message = 'no route names this session in signIn, so nobody is sent to sign in'
  return [{ path: ['sessions', name], part: 'key', message }]
}

/** A domain of AWS's own tells the region it is in. */
function warnOfRegion(name: string, session: SessionSettings, { userPools }: Config): Finding[] {
  const { hostname } = new URL(session.domain)
  const region = /\.auth(?:-fips)?\.([a-z0-9-]+)\.amazoncognito\.com$/.exec(hostname)?.[1]
  const pool = userPools[session.userPool ?? Object.keys(userPools)[0] ?? '']
  const wanted = regionOf(pool?.userPoolId ?? '')
  if (region === undefined || wanted === undefined || region === wanted) return []
  const message = "is in another region than the user pool, so it is not that pool's"
  return [{ path: ['sessions', name, 'domain'], message }]
}

/** Asked to sign in there, whoever has just signed out may be signed in again unasked: by his identity provider's own session. */
function warnOfSignedOut(name: string, { signedOut, origins }: SessionSettings, config: Config) {
  if (signedOut === undefined || signedOut.startsWith(`${config.pathPrefix}/`)) return []
  const rivals = config.routes
    .map(foldHosts)
    .filter(({ match }) => coversPath(match.path, signedOut))
  const hosts = origins.map((origin) => new URL(origin).hostname)
  const asks = hosts.some((host) => answering(rivals, host, 'GET')?.signIn !== undefined)
  if (!asks) return []
  const message =
    'a route with signIn answers this path: whoever signs out is sent to sign in at once; give it a public route'
  return [{ path: ['sessions', name, 'signedOut'], message }]
}

/** Browsers are sent to sign in at `origins` alone. A wildcard is not warned of where it takes one of them. */
function warnOfForeignHosts(given: Route, index: number, { sessions }: Config): Finding[] {
  const { origins } = sessions[given.signIn ?? ''] ?? {}
  if (origins === undefined) return []
  const own = origins.map((origin) => new URL(origin).hostname)
  return (foldHosts(given).match.hosts ?? []).flatMap((host, place): Finding[] => {
    const route = { ...given, match: { ...given.match, hosts: [host] } }
    if (own.some((one) => takesHost(route, one))) return []
    const message =
      'none of the origins of the session in signIn has this host: browsers get 401 there, and are not sent to sign in'
    return [{ path: ['routes', index, 'match', 'hosts', place], message }]
  })
}

/** What says who somebody is (OpenID Connect Core section 5.1), and Cognito's further attributes. */
const ID_CLAIMS =
  /^(?:name|(?:given|family|middle)_name|nickname|preferred_username|profile|picture|website|(?:email|phone_number)(?:_verified)?|gender|birthdate|zoneinfo|locale|address|updated_at|identities|cognito:(?:username|roles|preferred_role)|custom:.+)$/

/** `any` too: of a session's tokens it is asked of the access token. */
function warnOfIdClaims({ access, signIn }: Route, index: number): Finding[] {
  if (signIn === undefined || typeof access === 'string' || access.tokenUse === 'id') return []
  return Object.keys(access.claims ?? {})
    .filter((name) => ID_CLAIMS.test(name))
    .map((name): Finding => {
      const message =
        'access tokens do not have this claim unless a Lambda of the user pool adds it: whoever signs in is refused; set tokenUse: id'
      return { path: ['routes', index, 'access', 'claims', name], part: 'key', message }
    })
}
