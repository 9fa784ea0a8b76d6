// Whether whoever asks can use a redirect to a sign-in page: a browser that goes to a page, and nothing that a page's script calls.
import { listValue, singleValue } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'

/**
 * By what the browser itself says (Fetch Metadata sections 2.1 and 2.2); else a GET for HTML that no script marks as its own. A frame
 * is none: the managed login refuses to be framed.
 */
export function isNavigation({ method, headers, upgrade }: RequestFacts): boolean {
  if (method !== 'GET' || upgrade !== undefined) return false
  const mode = singleValue(headers, 'sec-fetch-mode')
  const destination = singleValue(headers, 'sec-fetch-dest')
  if (mode !== undefined || destination !== undefined) {
    const isAbsentOr = (value: string | null | undefined, wanted: string) =>
      value === undefined || value === wanted
    return isAbsentOr(mode, 'navigate') && isAbsentOr(destination, 'document')
  }
  const accept = listValue(headers, 'accept') ?? ''
  return (
    listValue(headers, 'x-requested-with') === undefined &&
    accept.split(',').some((range) => /^[ \t]*text\/html[ \t]*(?:;|$)/i.test(range))
  )
}
