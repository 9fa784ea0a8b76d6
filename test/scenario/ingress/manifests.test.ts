// The manifests that need a cluster cannot run here: at least they parse, are what they say, and name what Poolgate really has.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { createDecisionEndpoints } from '../../../src/external-auth/endpoints.ts'
import type { SignIn } from '../../../src/session/sign-in.ts'
import { createSignInEndpoints } from '../../../src/session/sign-in-endpoints.ts'
import { createConfigText } from '../../support/config-text.ts'
import { toFacts } from '../../support/sign-in-stage.ts'

const EXAMPLES = join(import.meta.dirname, '../../../examples')
const { config } = loadConfig(createConfigText(), 'c.yaml', {})
const endpointAt = createDecisionEndpoints()
const elsewhere = { name: 'web', urlAt: () => undefined } as unknown as SignIn
const pageAt = createSignInEndpoints(new Map([['web', elsewhere]]), '/_poolgate')

/** Folder → kinds in it. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'traefik-kubernetes': ['Middleware', 'Middleware', 'Middleware', 'IngressRoute'],
  istio: ['IstioOperator', 'AuthorizationPolicy'],
  'envoy-gateway': ['SecurityPolicy', 'ClientTrafficPolicy'],
  'gateway-api': ['HTTPRoute'],
  'nginx-gateway-fabric': ['HTTPRoute'],
  'ingress-nginx': ['Ingress'],
}

const read = (folder: string) =>
  readdirSync(join(EXAMPLES, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(EXAMPLES, folder, name), 'utf8'))

t.test('each manifest is of its kind, with a name', async (t) => {
  for (const [folder, kinds] of Object.entries(KINDS)) {
    const documents = read(folder).flatMap((text) => parseAllDocuments(text))
    t.same(
      documents.flatMap(({ errors }) => errors),
      [],
      folder,
    )
    const parsed = documents.map((document) => document.toJS())
    t.same(
      parsed.map(({ kind }) => kind),
      kinds,
      folder,
    )
    for (const { apiVersion, kind, metadata } of parsed) {
      t.match(apiVersion, /^[a-z0-9.]+\/v\d/, folder)
      if (kind !== 'IstioOperator') t.type(metadata?.name, 'string')
    }
  }
})

t.test('every path and every identity header in them is one that there is', async (t) => {
  const folders = readdirSync(EXAMPLES)
  for (const folder of folders) {
    for (const name of readdirSync(join(EXAMPLES, folder))) {
      const text = readFileSync(join(EXAMPLES, folder, name), 'utf8')
      for (const [path] of text.matchAll(/\/_poolgate\/[a-z-]+/g)) {
        t.ok(
          endpointAt(`${path}/`, { config }) ??
            endpointAt(path, { config }) ??
            pageAt(toFacts(path)),
          `${folder}: ${path}`,
        )
      }
    }
  }
  for (const folder of ['nginx-gateway-fabric', 'ingress-nginx', 'nginx', 'caddy']) {
    const text = readdirSync(join(EXAMPLES, folder))
      .map((name) => readFileSync(join(EXAMPLES, folder, name), 'utf8'))
      .join('\n')
      .toLowerCase()
    for (const name of Object.keys(config.identityHeaders))
      t.ok(text.includes(name), `${folder}: ${name}`)
  }
})

t.test('the configuration that all of them need is one', async (t) => {
  const page = readFileSync(join(EXAMPLES, '../docs/integrations/README.md'), 'utf8')
  const [, text = ''] = /```yaml\n(version: 1.*?)```/s.exec(page) ?? []
  t.match(loadConfig(text, 'README.md', {}).config.routes[0], { upstream: 'none' })
})

t.test('nothing in them fails open', async (t) => {
  for (const folder of readdirSync(EXAMPLES)) {
    for (const text of readdirSync(join(EXAMPLES, folder)).map((name) =>
      readFileSync(join(EXAMPLES, folder, name), 'utf8'),
    ))
      t.notMatch(
        text,
        /fail_?open: *true|failure_mode_allow: *true|trustForwardHeader: *true/i,
        folder,
      )
  }
})

t.test('they pass on every page that Poolgate has for browsers', async (t) => {
  const pages = ['sign-in', 'sign-up', 'callback', 'sign-out', 'signed-out', 'session']
  for (const page of pages) t.ok(pageAt(toFacts(`/_poolgate/${page}`)), page)
  for (const folder of ['nginx', 'caddy', 'haproxy', 'envoy-http', 'envoy-grpc', 'traefik']) {
    const text = readdirSync(join(EXAMPLES, folder))
      .map((name) => readFileSync(join(EXAMPLES, folder, name), 'utf8'))
      .join('\n')
    const isListed = pages.every((page) => text.includes(`/_poolgate/${page}`))
    t.ok(isListed || text.includes(`/_poolgate/(${pages.join('|')})`), folder)
  }
})

t.test('each of them that copies who is calling copies Cookie too', async (t) => {
  const copying = ['nginx', 'caddy', 'haproxy', 'envoy-http', 'traefik', 'traefik-kubernetes']
  for (const folder of [...copying, 'nginx-gateway-fabric', 'ingress-nginx']) {
    const text = readdirSync(join(EXAMPLES, folder))
      .map((name) =>
        readFileSync(join(EXAMPLES, folder, name), 'utf8').replace(/^ *(#|--).*/gm, ''),
      )
      .join('\n')
    t.match(text, /\bcookie\b/i, folder)
  }
  const [route] = read('nginx-gateway-fabric').map((text) => parseAllDocuments(text)[0]?.toJS())
  const { allowedHeaders, allowedResponseHeaders } =
    route.spec.rules[0].filters[0].externalAuth.http
  t.ok(allowedHeaders.includes('Cookie'), 'or none at all would arrive')
  t.ok(allowedResponseHeaders.includes('Cookie'))
})
