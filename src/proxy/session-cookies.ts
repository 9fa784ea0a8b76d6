// What an answer has to say beside its own fields when it sets, renews or ends a session: no cache may keep it (CVE-2025-48947).
import type { HeaderEdits } from '../http/header-edits.ts'
import type { DenialResponse } from './denial-response.ts'

/** What lets some cache keep an answer; those for one kind of cache alone go before Cache-Control there (RFC 9213). */
const CACHING: readonly string[] = [
  'cache-control',
  'expires',
  'cdn-cache-control',
  'cloudflare-cdn-cache-control',
  'netlify-cdn-cache-control',
  'vercel-cdn-cache-control',
  'surrogate-control',
  'edge-control',
  'x-accel-expires',
]

/** What becomes of an upstream's answer. @param cookies Set-Cookie values */
export function withSessionCookies(
  edits: HeaderEdits | undefined,
  cookies: readonly string[] | undefined,
): HeaderEdits | undefined {
  if (cookies === undefined || cookies.length === 0) return edits
  return {
    names: new Set([...(edits?.names ?? []), ...CACHING]),
    lines: [
      ...withoutCaching(edits?.lines ?? []),
      ...['cache-control', 'no-store', 'vary', 'Cookie'],
      ...toCookieLines(cookies),
    ],
  }
}

/** The same of an answer that Poolgate makes itself. */
export function withDenialCookies(
  denial: DenialResponse,
  cookies: readonly string[] | undefined,
): DenialResponse {
  if (cookies === undefined || cookies.length === 0) return denial
  const { vary } = denial.headers
  const headers = {
    ...denial.headers,
    'set-cookie': [...cookies],
    vary: vary === undefined ? 'Cookie' : `${vary}, Cookie`,
  }
  return { ...denial, headers }
}

export function toCookieLines(cookies: readonly string[]): string[] {
  return cookies.flatMap((cookie) => ['set-cookie', cookie])
}

function withoutCaching(lines: readonly string[]): string[] {
  return lines.filter((_, i) => !CACHING.includes(lines[i - (i % 2)] as string))
}
