// The looser ways in which upstreams read a path: without case, without ;parameters, decoded again, with a last slash more or less.
// A reading never decides where a request goes; it can only bring in another route that has to allow it too.
import { hasDotSegment } from '../http/request-target.ts'

/**
 * Every other reading of a path that was decoded once, all combinations included.
 * Undefined when one of them has dot segments, empty segments or slashes that the path itself has not.
 */
export function readingsOf(decodedPath: string): readonly string[] | undefined {
  const forms = formsOf(decodedPath)
  if (gainsSlash(decodedPath, forms[1])) return undefined
  const readings = new Set<string>()
  for (const path of new Set(forms)) {
    if (hasDotSegment(path) || path.includes('//')) return undefined
    for (const cased of [path, path.toLowerCase(), foldCase(path)]) {
      readings.add(cased).add(cased.endsWith('/') ? cased.slice(0, -1) : `${cased}/`)
    }
  }
  readings.delete(decodedPath)
  readings.delete('')
  return [...readings]
}

/** The path itself, decoded again, and each of them without `;parameters`; case and a last slash left as they are. */
export function formsOf(
  decodedPath: string,
): readonly [itself: string, again: string, ...others: string[]] {
  const again = decodeLeniently(decodedPath)
  const cut = cutParameters(decodedPath)
  return [decodedPath, again, cut, cutParameters(again), decodeLeniently(cut)]
}

/** As those do who compare letters in both cases: long s is s, dotless i is i. */
export function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase()
}

function gainsSlash(before: string, after: string): boolean {
  const slashes = (text: string) => text.match(/[/\\]/g)?.length ?? 0
  return before !== after && slashes(after) !== slashes(before)
}

/**
 * Runs of valid UTF-8 alone (RFC 3629 section 4): overlong forms, surrogates and what lies beyond U+10FFFF stand apart, so that
 * nothing in a run can fail. An exception for each of them costs a hundred times as much.
 */
const ENCODED =
  /(?:%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f])%[89ab][\da-f]|%(?:e0%[ab]|e[1-9a-cef]%[89ab]|ed%[89])[\da-f]%[89ab][\da-f]|%(?:f0%[9ab]|f[1-3]%[89ab]|f4%8)[\da-f](?:%[89ab][\da-f]){2})+/gi

/** Decodes what is valid and leaves the rest, as a careless upstream would. */
function decodeLeniently(path: string): string {
  return path.includes('%') ? path.replace(ENCODED, decodeURIComponent) : path
}

/** `/a;x=1/b;y` is read as `/a/b`. */
function cutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path
}
