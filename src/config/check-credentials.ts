// Rules for where a route takes tokens from, and for how long: what could never have a meaning is told.
import { asMapping, type Mapping } from './loose.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/** @param route what the file says of one route, before defaults */
export function checkCredentials(route: Mapping, path: ConfigPath): Finding[] {
  if (route.access === 'public') {
    const message = 'means nothing on a public route: nobody is asked for a token there'
    // The default, written down, asks for nothing.
    return ['credentials', 'atExpiry']
      .filter((key) => key in route && route[key] !== 'end')
      .map((key) => ({ path: [...path, key], message }))
  }
  const credentials = asMapping(route.credentials)
  if (route.credentials !== credentials || Object.keys(credentials).length > 0) return []
  const message = 'an empty mapping; leave it out where tokens are in Authorization alone'
  return [{ path: [...path, 'credentials'], message }]
}
