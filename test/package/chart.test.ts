// The Helm chart lints, renders what a cluster can run, and refuses values that could not work.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'

const ROOT = join(import.meta.dirname, '../..')
const CHART = join(ROOT, 'charts/poolgate')
const HELM = process.env.POOLGATE_HELM ?? 'helm'
const hasHelm = spawnSync(HELM, ['version', '--short']).status === 0
const withHelm = hasHelm
  ? {}
  : { skip: 'helm is neither on PATH nor at $POOLGATE_HELM: the chart was not rendered' }

const MINIMAL = valuesFile('config')
const FULL = valuesFile('full')

/** A rendered object; tests look deep into it. */
// biome-ignore lint/suspicious/noExplicitAny: what a chart renders has no type here
type Manifest = any

function valuesFile(name: string): string {
  return join(CHART, `ci/${name}-values.yaml`)
}

function helm(...args: readonly string[]) {
  return spawnSync(HELM, args, { encoding: 'utf8' })
}

function template(values: string | undefined, ...sets: readonly string[]) {
  const files = values === undefined ? [] : ['-f', values]
  const changes = sets.flatMap((set) => ['--set', set])
  return helm('template', 'rel', CHART, '--kube-version', '1.33.0', ...files, ...changes)
}

/** The rendered objects by kind; there is one of each at most. */
function render(values: string | undefined, ...sets: readonly string[]): Record<string, Manifest> {
  const { status, stdout, stderr } = template(values, ...sets)
  if (status !== 0) throw new Error(stderr)
  const objects = [...parseAllDocuments(stdout)].map((document) => document.toJS() as Manifest)
  return Object.fromEntries(objects.filter(Boolean).map((each) => [each.kind, each]))
}

const containerOf = (rendered: Record<string, Manifest>): Manifest =>
  rendered.Deployment.spec.template.spec.containers[0]

t.test('the chart carries the version of the package', async (t) => {
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as { appVersion: string }
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string
  }
  t.equal(chart.appVersion, manifest.version)
})

t.test('the schema accepts the shipped values and refuses unknown and mistyped ones', async (t) => {
  const text = readFileSync(join(CHART, 'values.schema.json'), 'utf8')
  const { $schema, ...schema } = JSON.parse(text) as Manifest
  t.equal($schema, 'https://json-schema.org/draft-07/schema#')
  const validate = new Ajv({ strict: true }).compile(schema)
  const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Record<string, unknown>
  t.ok(validate(values), JSON.stringify(validate.errors))
  t.same(
    Object.keys(values).filter((key) => !(key in schema.properties)),
    [],
  )
  const refused = [
    { replicas: 3 },
    { replicaCount: '3' },
    { ports: { http: 80, admin: 9090 } },
    { ports: { http: 8080 } },
    { service: { type: 'ClusterIP', port: 0 } },
    { image: { repository: '' } },
    { extraEnv: { A: 'b' } },
    { podAnnotations: { scrape: true } },
    { terminationGracePeriodSeconds: 0 },
    { preStopSeconds: -1 },
    { preStopSeconds: '5s' },
  ]
  for (const change of refused) t.notOk(validate({ ...values, ...change }), JSON.stringify(change))
})

t.test('it lints without a warning', withHelm, async (t) => {
  for (const values of [MINIMAL, FULL]) {
    const { status, stdout } = helm('lint', '--strict', CHART, '-f', values)
    t.equal(status, 0, stdout)
    t.notMatch(stdout, /\[(WARNING|ERROR)\]/)
  }
})

t.test(
  'it renders a deployment, a service, a config map and a service account',
  withHelm,
  async (t) => {
    for (const values of [MINIMAL, FULL]) {
      t.same(Object.keys(render(values)).sort(), [
        'ConfigMap',
        'Deployment',
        'Service',
        'ServiceAccount',
      ])
    }
  },
)

t.test('the pod meets the restricted pod security standard', withHelm, async (t) => {
  const rendered = render(MINIMAL)
  const pod = rendered.Deployment.spec.template.spec
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 65532 })
  t.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault')
  t.equal(pod.automountServiceAccountToken, false)
  t.same(containerOf(rendered).securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  t.ok(containerOf(rendered).resources.requests.cpu)
  t.ok(containerOf(rendered).resources.limits.memory)
})

t.test('probes ask the admin port, and no service leads there', withHelm, async (t) => {
  for (const values of [MINIMAL, FULL]) {
    const rendered = render(values)
    const { livenessProbe, readinessProbe, startupProbe, ports } = containerOf(rendered)
    t.match(livenessProbe.httpGet, { path: '/livez', port: 'admin' })
    t.match(readinessProbe.httpGet, { path: '/readyz', port: 'admin' })
    t.match(startupProbe.httpGet, { path: '/livez', port: 'admin' })
    t.same(
      ports.map(({ name }: Manifest) => name),
      ['http', 'admin'],
    )
    t.same(
      rendered.Service.spec.ports.map(({ targetPort }: Manifest) => targetPort),
      ['http'],
    )
  }
})

t.test('the service selects the pods', withHelm, async (t) => {
  const { Deployment, Service } = render(FULL)
  const labels = Deployment.spec.template.metadata.labels
  t.match(labels, Service.spec.selector)
  t.same(Deployment.spec.selector.matchLabels, Service.spec.selector)
  t.equal(labels.team, 'edge')
})

t.test('the gateway listens where the pod and its probes say', withHelm, async (t) => {
  for (const [values, http, admin] of [
    [MINIMAL, 8080, 9090],
    [FULL, 18080, 19090],
  ] as const) {
    const rendered = render(values)
    const config = parse(rendered.ConfigMap.data['config.yaml']) as Record<string, unknown>
    t.match(config, { version: 1, listen: `0.0.0.0:${http}`, admin: `0.0.0.0:${admin}` })
    t.same(
      containerOf(rendered).ports.map(({ containerPort }: Manifest) => containerPort),
      [http, admin],
    )
  }
})

t.test('checks by gRPC reach the pod where they are asked for', withHelm, async (t) => {
  const rendered = render(MINIMAL, 'ports.extAuthz=9191')
  const { extAuthz } = parse(rendered.ConfigMap.data['config.yaml']) as Record<string, unknown>
  t.equal(extAuthz, '0.0.0.0:9191')
  t.match(containerOf(rendered).ports[2], { name: 'grpc', containerPort: 9191 })
  t.match(rendered.Service.spec.ports[1], { name: 'grpc', port: 9191, targetPort: 'grpc' })
})

t.test('what the user wrote is passed on as it was, and wins', withHelm, async (t) => {
  const [{ ConfigMap }, values] = [render(FULL), parse(readFileSync(FULL, 'utf8')) as Manifest]
  const config = parse(ConfigMap.data['config.yaml']) as Record<string, unknown>
  t.match(config, values.config)
  const changed = render(MINIMAL, 'config.listen=unix:/run/poolgate.sock').ConfigMap
  t.match(parse(changed.data['config.yaml']), { listen: 'unix:/run/poolgate.sock' })
})

t.test('the rendered configuration is one that the gateway accepts', withHelm, async (t) => {
  for (const values of [MINIMAL, FULL]) {
    const text = render(values).ConfigMap.data['config.yaml'] as string
    const { config, warnings } = loadConfig(text, 'config.yaml', {})
    t.equal(config.version, 1)
    t.same(
      warnings.map(({ message }) => message),
      [],
    )
  }
})

t.test('the container reads the configuration that is mounted', withHelm, async (t) => {
  const rendered = render(MINIMAL)
  const { args, volumeMounts, image } = containerOf(rendered)
  t.same(args, ['serve', '--config', '/etc/poolgate/config.yaml'])
  t.match(volumeMounts, [{ name: 'config', mountPath: '/etc/poolgate', readOnly: true }])
  const { volumes } = rendered.Deployment.spec.template.spec
  t.match(volumes, [{ name: 'config', configMap: { name: rendered.ConfigMap.metadata.name } }])
  t.equal(image, 'poolgate:0.1.0')
})

t.test('another configuration makes other pods, the same one does not', withHelm, async (t) => {
  const checksum = (...sets: string[]) =>
    render(MINIMAL, ...sets).Deployment.spec.template.metadata.annotations['checksum/config']
  t.match(checksum(), /^[0-9a-f]{64}$/)
  t.equal(checksum('replicaCount=5'), checksum())
  t.not(checksum('config.log.level=warn'), checksum())
})

t.test('a config map of the user’s own takes the place of ours', withHelm, async (t) => {
  const rendered = render(undefined, 'existingConfigMap=mine')
  t.notOk('ConfigMap' in rendered)
  const { metadata, spec } = rendered.Deployment.spec.template
  t.equal(spec.volumes[0].configMap.name, 'mine')
  t.notOk(metadata.annotations)
})

t.test('environment, files and placement reach the pod', withHelm, async (t) => {
  const rendered = render(FULL)
  const pod = rendered.Deployment.spec.template.spec
  const container = containerOf(rendered)
  t.equal(rendered.Deployment.spec.replicas, 3)
  t.equal(container.image, 'registry.example.com/team/poolgate:1.2.3')
  t.match(container.env, [{ name: 'USER_POOL_ID' }])
  t.match(container.envFrom, [{ secretRef: { name: 'edge' } }])
  t.match(container.volumeMounts[1], { mountPath: '/etc/tls' })
  t.match(pod.volumes[1], { secret: { secretName: 'edge-tls' } })
  t.equal(pod.serviceAccountName, 'edge-account')
  t.match(pod.nodeSelector, { 'kubernetes.io/os': 'linux' })
  t.equal(pod.tolerations.length, 1)
  t.equal(rendered.Service.spec.type, 'LoadBalancer')
})

t.test('a pod may drain to the end: the grace period must be longer', withHelm, async (t) => {
  const drainOf = (drain: string) => template(MINIMAL, `config.timeouts.drain=${drain}`)
  for (const drain of ['0s', '500ms', '39s', '39999ms']) t.equal(drainOf(drain).status, 0, drain)
  for (const drain of ['40s', '40000ms', '1m', '1h']) {
    t.match(drainOf(drain).stderr, /must be more than preStopSeconds \(5\) and .* together/, drain)
  }
  t.not(template(MINIMAL, 'terminationGracePeriodSeconds=35').status, 0, '30s and 5s by default')
  t.equal(template(MINIMAL, 'terminationGracePeriodSeconds=36').status, 0)
  t.equal(template(MINIMAL, 'terminationGracePeriodSeconds=31', 'preStopSeconds=0').status, 0)
})

t.test('a pod that is to end serves on until nobody sends it anything', withHelm, async (t) => {
  const lifecycleOf = (...sets: string[]) => containerOf(render(MINIMAL, ...sets)).lifecycle
  t.same(lifecycleOf(), { preStop: { sleep: { seconds: 5 } } })
  t.same(lifecycleOf('preStopSeconds=12'), { preStop: { sleep: { seconds: 12 } } })
  t.equal(lifecycleOf('preStopSeconds=0'), undefined)
  t.same(containerOf(render(FULL)).lifecycle, { preStop: { sleep: { seconds: 10 } } })
  const { stdout } = helm('template', 'rel', CHART, '--kube-version', '1.29.0', '-f', MINIMAL)
  t.match(stdout, 'command: [sleep, "5"]', 'where Kubernetes has no action of its own for it')
})

t.test('variables of Services are kept out of the pod', withHelm, async (t) => {
  t.equal(render(MINIMAL).Deployment.spec.template.spec.enableServiceLinks, false)
})

t.test('values that cannot work are refused with a reason', withHelm, async (t) => {
  t.match(template(undefined).stderr, 'set `config`')
  t.match(template(MINIMAL, 'ports.admin=8080').stderr, 'must differ')
  t.match(template(MINIMAL, 'replicas=3').stderr, "additional properties 'replicas' not allowed")
})
