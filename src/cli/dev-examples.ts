// The lines of dev's guide: one for each kind of answer, signing in by themselves, to be pasted into a POSIX shell.
import { toShellWord } from './shell-word.ts'

export interface GuideUser {
  readonly username: string
  /** Names her own folder of the files. */
  readonly sub: string
  readonly password: string
  readonly enabled: boolean
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  readonly attributes: Readonly<Record<string, string | boolean>>
}

export interface ExampleFacts {
  readonly gateway: string
  readonly mintUrl: string
  readonly users: readonly GuideUser[]
  /** Undefined where a configuration file names its own routes and upstreams: then only `/` is asked for. */
  readonly upstream: string | undefined
}

/** A line to paste and what it shows. */
export interface Example {
  readonly status: number
  readonly about: string
  readonly command: string
}

interface Scene {
  readonly status: number
  readonly path: string
  /** Who may play it; left out where nobody is calling. */
  readonly who?: (user: GuideUser) => boolean
  readonly about: (username: string) => string
  readonly kind?: 'id_token' | 'tampered' | 'post'
}

const anybody = () => true
const isAdmin = ({ groups }: GuideUser) => groups.includes('admins')

const SCENES: readonly Scene[] = [
  { status: 200, path: '/public/hello', about: () => 'a public route asks for no token' },
  { status: 401, path: '/orders', about: () => 'nobody is calling (credential_missing)' },
  {
    status: 200,
    path: '/orders',
    who: anybody,
    about: (name) => `${name}, with the claims as headers`,
  },
  {
    status: 401,
    path: '/orders',
    who: anybody,
    kind: 'tampered',
    about: () => 'a token that was changed (token_signature)',
  },
  {
    status: 403,
    path: '/admin/',
    who: (user) => !isAdmin(user),
    about: (name) => `${name} is not in admins (group_missing)`,
  },
  { status: 200, path: '/admin/', who: isAdmin, about: (name) => `${name} is in admins` },
  {
    status: 403,
    path: '/orders',
    who: ({ scopes }) => !scopes.includes('orders/write'),
    kind: 'post',
    about: (name) => `${name} has no scope orders/write (scope_missing)`,
  },
  {
    status: 200,
    path: '/tenants/acme/plan',
    who: ({ attributes }) => attributes['custom:tenant'] === 'acme',
    kind: 'id_token',
    about: (name) => `${name}'s ID token, by its custom:tenant`,
  },
]

const GIVEN_ROUTES: readonly Scene[] = [
  { status: 200, path: '/', who: anybody, about: (name) => `${name}, if a route lets them in` },
]

/** Scenes that no user can play are left out. */
export function toExamples(facts: ExampleFacts): readonly Example[] {
  const enabled = facts.users.filter(({ enabled }) => enabled)
  // Administrators last: whoever is let in otherwise shows more.
  const cast = [...enabled.filter((user) => !isAdmin(user)), ...enabled.filter(isAdmin)]
  const scenes = facts.upstream === undefined ? GIVEN_ROUTES : SCENES
  const examples = scenes.flatMap((scene) => {
    const user = scene.who && cast.find(scene.who)
    return scene.who && user === undefined ? [] : [toExample(facts, scene, user)]
  })
  return facts.upstream === undefined ? examples : [...examples, ...toFileExamples(facts, cast)]
}

/** Through to S3, where the caller's own credentials decide. */
function toFileExamples(facts: ExampleFacts, cast: readonly GuideUser[]): readonly Example[] {
  const [owner, ...others] = cast
  const other = others.find((user) => !isAdmin(user))
  const admin = others.find(isAdmin)
  const line = (status: number, about: string, path: string, user?: GuideUser, more = '') => {
    const bearer = user && ` -H "Authorization: Bearer ${toToken(facts, user, 'id_token')}"`
    const url = toShellWord(`${facts.gateway}/files/${path}`)
    return { status, about, command: `curl -i${more}${bearer ?? ''} ${url}` }
  }
  const welcome = line(200, 'anybody, with credentials of a guest', 'public/welcome.txt')
  if (owner === undefined) return [welcome]
  const { username: name } = owner
  const file = `users/${encodeURIComponent(owner.sub)}/notes.txt`
  const put = " -X PUT -H 'Content-Type: text/plain' -d 'Buy tea'"
  return [
    line(200, `${name} puts a file on S3, with AWS credentials of their own`, file, owner, put),
    line(200, `${name} reads it`, file, owner),
    ...(other ? [line(403, `${other.username}'s credentials may not (of S3)`, file, other)] : []),
    ...(admin ? [line(200, `${admin.username}'s may, by the role of admins`, file, admin)] : []),
    {
      status: 401,
      about: `${name}'s access token brings no credentials (id_token_required)`,
      command: `curl -i -H "Authorization: Bearer ${toToken(facts, owner, undefined)}" ${toShellWord(`${facts.gateway}/files/${file}`)}`,
    },
    welcome,
  ]
}

function toExample(facts: ExampleFacts, scene: Scene, user: GuideUser | undefined): Example {
  const { status, path, kind } = scene
  const parts = ['curl -i']
  if (kind === 'post') parts.push('-d item=tea')
  if (user !== undefined) parts.push(`-H "Authorization: Bearer ${toToken(facts, user, kind)}"`)
  parts.push(facts.gateway + path)
  return { status, about: scene.about(user?.username ?? ''), command: parts.join(' ') }
}

/** A command substitution, so that the line works as long as the dev pool runs. */
function toToken({ mintUrl }: ExampleFacts, { username }: GuideUser, kind: Scene['kind']): string {
  const form = new URLSearchParams({ user: username, ...(kind === 'id_token' && { use: 'id' }) })
  const token = `$(curl -s -d ${toShellWord(form.toString())} ${mintUrl})`
  return kind === 'tampered' ? `${token}AAAA` : token
}
