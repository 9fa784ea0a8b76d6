// Cookies that are between the browser and the gateway: no upstream gets one, and none may set one.

/** Whether a cookie of this name is the gateway's. */
export type IsOwnCookie = (name: string) => boolean

const PREFIX = '__Host-poolgate-'

/** @param sessionCookies names of sessions' cookies; their parts are called the same with `.1` and so on behind */
export function compileOwnCookies(sessionCookies: readonly string[]): IsOwnCookie {
  const names = new Set(sessionCookies)
  return (name) => name.startsWith(PREFIX) || names.has(name.replace(/\.\d+$/, ''))
}

/** Whether a Set-Cookie value is of one (RFC 6265 section 4.1). */
export function setsOwnCookie(value: string, isOwn: IsOwnCookie): boolean {
  return isOwn((value.split(/[=;]/, 1)[0] ?? '').trim())
}
