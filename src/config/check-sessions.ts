// Rules between sessions, the user pools whose users sign in, and the routes that name them. Reads values of any shape, so that one
// bad setting hides no other problem.
import { ATTEMPT_COOKIES, cookieNameOf, TURNS_COOKIE } from '../http/own-cookies.ts'
import { asList, asMapping, asText, asTexts, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import { didYouMean } from './suggest.ts'
import type { Finding } from './yaml-source.ts'

/** @param settings what the file says, before defaults */
export function checkSessions(settings: Mapping): Finding[] {
  const sessions = asMapping(settings.sessions)
  const pools = asMapping(settings.userPools)
  return [
    ...Object.entries(sessions).flatMap(([name, value]) => {
      const session = asMapping(value)
      const path = ['sessions', name]
      return session === value ? checkSession(session, path, pools) : []
    }),
    ...checkCookies(sessions),
    ...asList(settings.routes).flatMap((value, index) =>
      checkRoute(asMapping(value), ['routes', index], sessions, pools),
    ),
  ]
}

function checkSession(session: Mapping, path: ConfigPath, pools: Mapping): Finding[] {
  const findings = checkManagedLogin(session, path)
  const scopes = asTexts(session.scopes)
  if (scopes.length > 0 && !scopes.includes('openid')) {
    findings.push({
      path: [...path, 'scopes'],
      message: 'needs openid: without it nobody learns who signed in',
    })
  }
  const names = Object.keys(pools)
  const name = asText(session.userPool) ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    const message = `is required where there are several user pools: ${names.join(', ')}`
    if (names.length > 1) findings.push({ path: [...path, 'userPool'], message })
    else findings.push({ path, message: 'needs a user pool, but userPools has none' })
    return findings
  }
  if (!Object.hasOwn(pools, name)) {
    const message = `there is no user pool of this name${didYouMean(name, names)}`
    findings.push({ path: [...path, 'userPool'], message })
    return findings
  }
  const { clientIds } = asMapping(pools[name])
  const clientId = asText(session.clientId)
  if (clientId !== undefined && Array.isArray(clientIds) && !clientIds.includes(clientId)) {
    const message = `is none of userPools.${name}.clientIds: its tokens would be refused`
    findings.push({ path: [...path, 'clientId'], message })
  }
  return findings
}

/** Where browsers are sent, and past which of its pages. */
function checkManagedLogin(session: Mapping, path: ConfigPath): Finding[] {
  const findings: Finding[] = []
  const { hostname = '', pathname = '/' } = URL.parse(asText(session.domain) ?? '') ?? {}
  if (/^(?:issuer-)?cognito-idp(?:-fips)?\./.test(hostname)) {
    const message =
      "is where the user pool's API and keys are, not its managed login: give the user pool's domain, such as https://PREFIX.auth.REGION.amazoncognito.com"
    findings.push({ path: [...path, 'domain'], message })
  } else if (/[^/]/.test(pathname)) {
    const message = 'must not have a path: Poolgate adds those of the managed login itself'
    findings.push({ path: [...path, 'domain'], message })
  }
  if (session.identityProvider !== undefined && session.idpIdentifier !== undefined) {
    const message = 'says the same as identityProvider in another way; leave one of them out'
    findings.push({ path: [...path, 'idpIdentifier'], message })
  }
  return findings
}

/** Two sessions with one cookie would end each other. */
function checkCookies(sessions: Mapping): Finding[] {
  const owners = new Map<string, string>()
  return Object.entries(sessions).flatMap(([name, value]): Finding[] => {
    const cookie = cookieNameOf(name, asText(asMapping(value).cookie))
    const owner = owners.get(cookie)
    owners.set(cookie, owner ?? name)
    const path = ['sessions', name, 'cookie']
    if (cookie === TURNS_COOKIE || cookie.startsWith(ATTEMPT_COOKIES)) {
      return [
        { path, message: `has to be another one: ${cookie} has its own use while signing in` },
      ]
    }
    if (/\.\d+$/.test(cookie)) {
      return [
        { path, message: 'must not end in a dot and a number, as the parts of a long cookie do' },
      ]
    }
    if (owner === undefined) return []
    return [{ path, message: `is the cookie of session ${owner} already` }]
  })
}

function checkRoute(
  route: Mapping,
  path: ConfigPath,
  sessions: Mapping,
  pools: Mapping,
): Finding[] {
  const access = asMapping(route.access)
  const findings: Finding[] = []
  if ('providers' in access && access.tokenUse !== 'id') {
    const message = 'needs tokenUse: id; only ID tokens say where the caller signed in'
    findings.push({ path: [...path, 'access', 'providers'], message })
  }
  const name = asText(route.signIn)
  if (name === undefined) return findings
  const place = [...path, 'signIn']
  if (!Object.hasOwn(sessions, name)) {
    const message = `there is no session of this name${didYouMean(name, Object.keys(sessions))}`
    return [...findings, { path: place, message }]
  }
  if (route.access === 'public') {
    const message = 'has no effect on a public route: nobody is asked to sign in there'
    return [...findings, { path: place, message }]
  }
  const only = Object.keys(pools).length === 1 ? Object.keys(pools)[0] : undefined
  const wanted = asText(access.userPool) ?? only
  const offered = asText(asMapping(sessions[name]).userPool) ?? only
  if (wanted === undefined || offered === undefined || wanted === offered) return findings
  const message = 'signs in users of another user pool than the route takes tokens of'
  return [...findings, { path: place, message }]
}
