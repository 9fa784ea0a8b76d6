// Other proxies' and browsers' own cases of target normalisation. Poolgate rewrites nothing: a target is refused, or it means exactly
// what the others make of it and takes the same route. What they take as it stands and is refused here is listed with its reason.
import t, { type Test } from 'tap'
import { parseHost } from '../../src/http/host.ts'
import { hasControl, parseRequestTarget } from '../../src/http/request-target.ts'
import { compileRouteTable } from '../../src/route/route-table.ts'
import { loadCorpus } from '../support/corpora.ts'

const { table } = compileRouteTable(
  ['/*', '/a/*', '/foo/*', '/foo/bar/*', '/admin', '/admin/*', '/public/*', '/xyz/*'].map(
    (path) => ({
      name: path,
      match: { path },
      route: path,
    }),
  ),
)

/** Undefined when refused, by the target alone or by its readings. */
function read(raw: string, authority: string) {
  const target = parseRequestTarget(raw, authority)
  if ('refused' in target) return undefined
  const match = table.match('GET', 'probe.test', target)
  if (match === undefined || 'refused' in match) return undefined
  return { ...target, route: match.route }
}

/** `normal`: what the corpus makes of the target; undefined when it refuses. False when it is refused here. */
function isTakenAlike(t: Test, raw: string, normal: string | undefined, authority = 'a'): boolean {
  const target = read(raw, authority)
  if (target === undefined) return false
  if (normal === undefined) {
    t.fail(`${raw} is taken where the corpus refuses it`)
    return true
  }
  const [path = ''] = normal.split('?', 1)
  t.equal(target.decodedPath, decodeURIComponent(path), `${raw} means ${normal}`)
  t.equal(read(path, authority)?.route, target.route, `${raw} takes the route of ${normal}`)
  const written = raw.replace(/^(https?:\/\/[^/?]+)(?!\/|[^/?])/, '$1/')
  t.ok(written.endsWith(target.path + target.query), `${raw} goes on as it was written`)
  return true
}

const FRAGMENT = 'a target has no fragment'
const NOT_UTF8 = 'no UTF-8: upstreams read the bytes in different ways'
const DOTS = 'a dot segment; the rule of the case only looks for single dots'
const HIDDEN = 'an encoded slash or backslash is a separator to some upstreams'
const BROKEN = 'the percent-encoding is broken'
const CONTROL = 'an encoded control character'
const ASTERISK = 'no path; only OPTIONS * is answered, and by the gateway itself'
const TUNNEL = 'CONNECT is refused whatever its target'

/** Targets that are left as they are elsewhere, and refused here. */
const REFUSED: Readonly<Record<string, string>> = {
  '/%c0%af': NOT_UTF8,
  '/%aa?a=%aa': NOT_UTF8,
  '/%5c%25': HIDDEN,
  '/a/%2F%2f/c': HIDDEN,
  '/%zz?a=%zz': BROKEN,
  '/%02': CONTROL,
  '*': ASTERISK,
  'haproxy.org:80': TUNNEL,
  '/abc?#': FRAGMENT,
  '/abc?#fragment': FRAGMENT,
  '/abc?param=value#': FRAGMENT,
  '/abc?param=value#fragment': FRAGMENT,
  '/a/../': DOTS,
  '/a/../a': DOTS,
}

interface EnvoyCorpus {
  readonly cases: readonly {
    readonly in: string
    readonly out: string | null
    readonly op: string
  }[]
}

t.test('Envoy: each path means what Envoy makes of it, or is refused', async (t) => {
  const corpus = loadCorpus<EnvoyCorpus>(t, 'envoy_path_cases')
  if (corpus === undefined) return
  const counts = { taken: 0, refused: 0, listed: 0 }
  for (const { in: raw, out } of corpus.cases) {
    const taken = isTakenAlike(t, raw, out ?? undefined)
    const asItStands =
      out !== null && raw.startsWith('/') && raw.split('?')[0] === out.split('?')[0]
    if (asItStands) t.equal(taken, !(raw in REFUSED), `${raw} stands as it is`)
    counts[taken ? 'taken' : 'refused']++
    if (asItStands && !taken) counts.listed++
  }
  t.same(counts, { taken: 11, refused: 43, listed: 7 })
})

interface ProxyCorpus {
  readonly nginx: {
    readonly cases: readonly { readonly target: string; readonly expect: string }[]
  }
  readonly haproxy_normalize_uri: {
    readonly cases: readonly {
      readonly url: string
      readonly rule: string
      readonly expect: Readonly<Record<string, string>>
    }[]
  }
  readonly haproxy_request_target: {
    readonly cases: readonly {
      readonly method: string
      readonly target: string
      readonly host: string | null
      readonly status: number
    }[]
  }
}

t.test('nginx: each target means what nginx makes of it, or is refused', async (t) => {
  const corpus = loadCorpus<ProxyCorpus>(t, 'proxy_uri_cases')
  if (corpus === undefined) return
  const counts = { taken: 0, refused: 0 }
  for (const { target, expect } of corpus.nginx.cases) {
    const authority = /^http:\/\/([^/?#]+)/.exec(target)?.[1] ?? 'localhost'
    const taken = isTakenAlike(t, target, expect === '400' ? undefined : expect, authority)
    counts[taken ? 'taken' : 'refused']++
  }
  t.same(counts, { taken: 6, refused: 13 })
})

t.test('HAProxy: each target means what its normalisers make of it, or is refused', async (t) => {
  const corpus = loadCorpus<ProxyCorpus>(t, 'proxy_uri_cases')
  if (corpus === undefined) return
  const counts = { taken: 0, refused: 0, listed: 0 }
  for (const { url, rule, expect } of corpus.haproxy_normalize_uri.cases) {
    const normal = expect['after-full'] ?? expect.after
    const taken = isTakenAlike(t, url, normal)
    const asItStands = normal !== undefined && normal.split('?')[0] === url.split('?')[0]
    if (asItStands) t.equal(taken, !(url in REFUSED), `${rule}: ${url} stands as it is`)
    counts[taken ? 'taken' : 'refused']++
    if (asItStands && !taken) counts.listed++
  }
  t.same(counts, { taken: 31, refused: 40, listed: 10 })
})

t.test('HAProxy: a target has one of the forms that its method may have', async (t) => {
  const corpus = loadCorpus<ProxyCorpus>(t, 'proxy_uri_cases')
  if (corpus === undefined) return
  for (const { method, target, host, status } of corpus.haproxy_request_target.cases) {
    const taken = method !== 'CONNECT' && read(target, host ?? 'a') !== undefined
    const expected = status === 200 && !(target in REFUSED)
    t.equal(taken, expected, `${method} ${target}: ${status} ${REFUSED[target] ?? ''}`)
  }
})

interface UrlCorpus {
  readonly cases: readonly {
    readonly input: string
    readonly base: string | null
    readonly failure?: true
    readonly href?: string
    readonly protocol?: string
    readonly host?: string
    readonly pathname?: string
    readonly search?: string
  }[]
}

t.test('WPT: a target that is taken has the path that browsers give it', async (t) => {
  const corpus = loadCorpus<UrlCorpus>(t, 'wpt_urltestdata')
  if (corpus === undefined) return
  const counts = { taken: 0, refused: 0 }
  for (const { input, host = '', pathname = '', search = '', href = '' } of corpus.cases) {
    const parsed = parseHost(host)
    const authority = 'refused' in parsed ? 'probe.test' : parsed.authority
    for (const raw of [input, pathname + search, href, `/${input}`]) {
      const target = read(raw, authority)
      counts[target ? 'taken' : 'refused']++
      if (target === undefined) continue
      const { pathname: browsers } = new URL(`http://probe.test${target.path}${target.query}`)
      t.equal(target.decodedPath, decodeURIComponent(browsers), JSON.stringify(raw))
      t.equal(
        read(browsers, authority)?.route,
        target.route,
        `${JSON.stringify(raw)} keeps its route`,
      )
    }
  }
  t.same(counts, { taken: 857, refused: 2707 })
})

interface EncodingCorpus {
  readonly cases: readonly { readonly input: string; readonly output: Record<string, string> }[]
}

t.test('WPT: percent-encoded text is matched as the text, or is refused', async (t) => {
  const corpus = loadCorpus<EncodingCorpus>(t, 'wpt_percent_encoding')
  if (corpus === undefined) return
  for (const { input, output } of corpus.cases) {
    const target = read(`/${output['utf-8']}`, 'a')
    const isRefused = hasControl(input) || input.includes('\\')
    t.equal(target?.decodedPath, isRefused ? undefined : `/${input}`, JSON.stringify(input))
  }
})
