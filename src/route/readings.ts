// The looser ways in which upstreams read a path: without case, without ;parameters, decoded again, with a last slash more or less.
// A reading never decides where a request goes; it can only bring in another route that has to allow it too.
import { hasDotSegment } from '../http/request-target.ts'

/**
 * Every other reading of a path that was decoded once, all combinations included.
 * Undefined when one of them has dot segments, empty segments or slashes that the path itself has not.
 */
export function readingsOf(decodedPath: string): readonly string[] | undefined {
  const decodedAgain = decodeLeniently(decodedPath)
  if (gainsSlash(decodedPath, decodedAgain)) return undefined
  const cut = cutParameters(decodedPath)
  const paths = [decodedPath, decodedAgain, cut, cutParameters(decodedAgain), decodeLeniently(cut)]
  const readings = new Set<string>()
  for (const path of new Set(paths)) {
    if (hasDotSegment(path) || path.includes('//')) return undefined
    for (const cased of [path, path.toLowerCase(), foldCase(path)]) {
      readings.add(cased).add(cased.endsWith('/') ? cased.slice(0, -1) : `${cased}/`)
    }
  }
  readings.delete(decodedPath)
  readings.delete('')
  return [...readings]
}

/** As those do who compare letters in both cases: long s is s, dotless i is i. */
function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase()
}

function gainsSlash(before: string, after: string): boolean {
  const slashes = (text: string) => text.match(/[/\\]/g)?.length ?? 0
  return before !== after && slashes(after) !== slashes(before)
}

/** One ASCII character, or as many bytes as its first one announces. */
const ENCODED =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/gi

/** Decodes what is valid and leaves the rest, as a careless upstream would. */
function decodeLeniently(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(ENCODED, (bytes) => {
    try {
      return decodeURIComponent(bytes)
    } catch {
      return bytes // An overlong form or a surrogate.
    }
  })
}

/** `/a;x=1/b;y` is read as `/a/b`. */
function cutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path
}
