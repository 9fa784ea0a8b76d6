// Rules for what a route lets pages of other origins do: nothing that browsers refuse, and nothing that could never come about.
import { asMapping, asTexts, type Mapping } from './loose.ts'
import { normaliseFieldName } from '../http/headers.ts'
import type { ConfigPath } from './problem.ts'
import type { Finding } from './yaml-source.ts'

/** @param route what the file says of one route, before defaults */
export function checkCors(route: Mapping, path: ConfigPath): Finding[] {
  const cors = asMapping(route.cors)
  if (route.cors !== cors) return []
  return [
    ...checkOrigins(cors, [...path, 'cors']),
    ...checkMethods(cors, asTexts(asMapping(route.match).methods), [...path, 'cors', 'methods']),
    ...checkResponseHeaders(asMapping(route.responseHeaders), [...path, 'responseHeaders']),
  ]
}

function checkOrigins(cors: Mapping, path: ConfigPath): Finding[] {
  const origins = asTexts(cors.origins)
  if (!origins.includes('*')) return []
  const findings: Finding[] = []
  if (origins.length > 1) {
    findings.push({
      path: [...path, 'origins'],
      message: '* stands for every origin; leave it alone',
    })
  }
  if (cors.credentials === true) {
    const message =
      'would let every page act as its visitor, and browsers refuse it: name the origins'
    findings.push({ path: [...path, 'credentials'], message })
  }
  return findings
}

function checkMethods(cors: Mapping, taken: readonly string[], path: ConfigPath): Finding[] {
  if (taken.length === 0) return []
  return asTexts(cors.methods).flatMap((method, i) =>
    taken.includes(method)
      ? []
      : [{ path: [...path, i], message: 'can never come about: match.methods leaves it out' }],
  )
}

function checkResponseHeaders({ set, remove }: Mapping, path: ConfigPath): Finding[] {
  const message = 'is what cors says'
  const isCors = (name: string) => normaliseFieldName(name).startsWith('access-control-')
  const names = Object.keys(asMapping(set)).filter(isCors)
  return [
    ...names.map((name) => ({ path: [...path, 'set', name], message, part: 'key' as const })),
    ...asTexts(remove).flatMap((name, i) =>
      isCors(name) ? [{ path: [...path, 'remove', i], message }] : [],
    ),
  ]
}
