// Which paths are the gateway's own. However loosely an upstream reads paths, it never gets a request for one of them.
import type { RequestTarget } from '../http/request-target.ts'
import { foldCase, formsOf } from './readings.ts'

const SLASH = 0x2f

/** Compiles the prefix into the question whether a target, in any of its readings, lies at or below it. */
export function compileReserved(pathPrefix: string): (target: RequestTarget) => boolean {
  const prefix = foldCase(pathPrefix)
  const depth = pathPrefix.split('/').length - 1
  const isBelow = (path: string) =>
    path.startsWith(prefix) &&
    (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH)
  return ({ decodedPath, plain }) => {
    if (plain) return isBelow(decodedPath)
    // No reading that is let through has more slashes, or fewer: what lies further down cannot matter.
    return formsOf(firstSegments(decodedPath, depth)).some((form) => isBelow(foldCase(form)))
  }
}

function firstSegments(path: string, count: number): string {
  let end = 0
  for (let i = 0; i < count && end !== -1; i++) end = path.indexOf('/', end + 1)
  return end === -1 ? path : path.slice(0, end)
}
