// The URLs that configuration may hold: upstream targets, issuers and key-set addresses.

const ORIGIN = /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/

/** The origin (scheme, host, port) of an http or https URL that is nothing more than that; else undefined. */
export function parseOrigin(text: string): string | undefined {
  return ORIGIN.test(text) ? toUrl(text)?.origin : undefined
}

/**
 * Whether signing keys or an issuer may stand at this URL: https, or plain http on a loopback host; no user name,
 * query or fragment.
 */
export function isTrustworthyUrl(text: string): boolean {
  const url = /^https?:\/\/[^\s\\?#@]+$/.test(text) ? toUrl(text) : undefined
  return url !== undefined && (url.protocol === 'https:' || isLoopbackHost(url.hostname))
}

/** 127.0.0.0/8, ::1 and localhost, as a URL's `hostname` spells them. */
function isLoopbackHost(hostname: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost'
}

function toUrl(text: string): URL | undefined {
  return URL.parse(text) ?? undefined
}
