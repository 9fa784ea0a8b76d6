// Cookies that are between the browser and the gateway: no upstream gets one, and none may set one.

/** Whether a cookie of this name is the gateway's. */
export type IsOwnCookie = (name: string) => boolean

const PREFIX = '__Host-poolgate-'

/** Begins the name of a sign-in attempt's cookie. */
export const ATTEMPT_COOKIES = `${PREFIX}attempt-`
/** Counts the sign-ins that were completed of late. */
export const TURNS_COOKIE = `${PREFIX}turns`

/** A session's cookie; its parts are called the same with `.1`, `.2` and so on behind. */
export function cookieNameOf(session: string, cookie: string | undefined): string {
  return cookie ?? PREFIX + session
}

/** @param sessionCookies names of sessions' cookies; their parts are called the same with `.1` and so on behind */
export function compileOwnCookies(sessionCookies: readonly string[]): IsOwnCookie {
  const names = new Set(sessionCookies)
  return (name) => name.startsWith(PREFIX) || names.has(name.replace(/\.\d+$/, ''))
}

/** Whether a Set-Cookie value is of one, or comes back as one from a browser that forgets that it has no name (RFC 6265bis section 5.4). */
export function setsOwnCookie(value: string, isOwn: IsOwnCookie): boolean {
  const [name = ''] = value.replace(/^[\s=]+/, '').split(/[=;]/, 1)
  return isOwn(name.trim())
}
