// A route's pattern: what configuration may write, and how one pattern is ranked against another.
import { decodePath, hasDotSegment } from '../http/request-target.ts'

export interface RoutePattern {
  /** Exact, or a prefix that ends in `/*`. */
  readonly path: string
  readonly hosts?: readonly string[] | undefined
  readonly methods?: readonly string[] | undefined
}

export interface PathPattern {
  readonly prefix: boolean
  /** Percent-decoded segments after the first slash; for a prefix those before `/*`. */
  readonly segments: readonly string[]
}

/** Reads `/a/b` or `/a/*`. A literal star is written `%2A`; a path that no request could have is a problem. */
export function parsePathPattern(text: string): PathPattern | { readonly problem: string } {
  const prefix = text.endsWith('/*')
  const written = prefix ? text.slice(0, -2) : text
  if (!text.startsWith('/')) return { problem: 'a path begins with /' }
  if (written.includes('*')) return { problem: '* may only stand at the end, after a /' }
  if (/[?#\\\s]/.test(written))
    return { problem: 'a path has no query, fragment, backslash or space' }
  const decoded = decodePath(written)
  if (decoded === undefined) {
    return { problem: 'percent-encoding is broken, or hides a slash or a control character' }
  }
  if (hasDotSegment(decoded) || (prefix ? `${decoded}/` : decoded).includes('//')) {
    return { problem: 'no request can have empty or dot segments' }
  }
  return { prefix, segments: decoded === '' ? [] : decoded.slice(1).split('/') }
}

/** How a pattern's host is compared; the exact name is tried first. */
export interface HostPattern {
  readonly kind: 'exact' | 'wildcard'
  /** Lower case, without a last dot; for a wildcard what follows the first label, with its dot. */
  readonly name: string
}

export function parseHostPattern(text: string): HostPattern {
  const folded = text.toLowerCase().replace(/\.$/, '')
  return folded.startsWith('*.')
    ? { kind: 'wildcard', name: folded.slice(1) }
    : { kind: 'exact', name: folded }
}

/** `*.example.com` stands for exactly one label. */
export function matchesHost({ kind, name }: HostPattern, host: string): boolean {
  if (kind === 'exact') return host === name
  const dot = host.indexOf('.')
  return dot > 0 && host.length - dot === name.length && host.endsWith(name)
}
