// The configuration that serve's flags and POOLGATE_* variables stand for: one protected route. It goes through load like a file.
import { toYamlText } from '../config/yaml-text.ts'
import { ConfigError, loadConfig, loadConfigFile, type PrintableConfig } from '../config/load.ts'

export interface ConfigFlag {
  /** Without dashes. */
  readonly name: string
  /** Its camelCase key among the parsed options. */
  readonly key: string
  readonly env: string
  /** How help names its value. */
  readonly value: string
  readonly description: string
  /** Given more than once, and with commas in the environment. */
  readonly list: boolean
  readonly required: boolean
}

const ONE = { list: false, required: false }

export const CONFIG_FLAGS: readonly ConfigFlag[] = [
  {
    name: 'user-pool-id',
    key: 'userPoolId',
    env: 'POOLGATE_USER_POOL_ID',
    value: 'ID',
    description: 'the Cognito user pool whose tokens are accepted',
    list: false,
    required: true,
  },
  {
    name: 'client-id',
    key: 'clientId',
    env: 'POOLGATE_CLIENT_ID',
    value: 'ID',
    description: 'an accepted app client; repeat for more, or write any',
    list: true,
    required: true,
  },
  {
    name: 'upstream',
    key: 'upstream',
    env: 'POOLGATE_UPSTREAM',
    value: 'URL',
    description: 'where allowed requests go, such as http://127.0.0.1:3000',
    list: false,
    required: true,
  },
  {
    name: 'group',
    key: 'group',
    env: 'POOLGATE_GROUP',
    value: 'NAME',
    description: 'a group that may pass; repeat for more (default: every valid token may)',
    list: true,
    required: false,
  },
  {
    name: 'token-use',
    key: 'tokenUse',
    env: 'POOLGATE_TOKEN_USE',
    value: 'USE',
    description: 'access, id or any (default: access)',
    ...ONE,
  },
  {
    name: 'listen',
    key: 'listen',
    env: 'POOLGATE_LISTEN',
    value: 'ADDRESS',
    description: 'where requests come in (default: 127.0.0.1:8080)',
    ...ONE,
  },
  {
    name: 'admin',
    key: 'admin',
    env: 'POOLGATE_ADMIN',
    value: 'ADDRESS',
    description: 'where health and metrics are, or none (default: 127.0.0.1:9090)',
    ...ONE,
  },
  {
    name: 'issuer',
    key: 'issuer',
    env: 'POOLGATE_ISSUER',
    value: 'URL',
    description: "accepted issuer (default: the user pool's)",
    ...ONE,
  },
  {
    name: 'jwks-uri',
    key: 'jwksUri',
    env: 'POOLGATE_JWKS_URI',
    value: 'URL',
    description: "where the signing keys are (default: the issuer's)",
    ...ONE,
  },
]

/** Parsed options by `ConfigFlag.key`. */
export type Flags = Readonly<Record<string, unknown>>
type Environment = Readonly<Record<string, string | undefined>>

/** How problems name the text that flags stand for; no file can be called so. */
const FLAGS_FILE = '(flags)'

/** The file, or what the flags stand for where there is none. @throws ConfigError */
export function loadFileOrFlags(
  file: string | undefined,
  flags: Flags,
  env: Environment,
): PrintableConfig {
  if (file !== undefined) {
    refuseFlags(file, flags)
    return loadConfigFile(file, env)
  }
  return loadConfig(toYaml(flags, env), FLAGS_FILE, env)
}

/** A flag beside a file would ask for something, such as a group, that then nobody asks for. */
function refuseFlags(file: string, flags: Flags): void {
  const given = CONFIG_FLAGS.filter(({ key }) => flags[key] !== undefined)
  if (given.length === 0) return
  const message = `give either a file or ${given.map(({ name }) => `--${name}`).join(', ')}`
  throw new ConfigError([{ file, line: 1, column: 1, path: '', message, snippet: '' }])
}

/** Names of required flags that neither the command line nor the environment gives. */
export function missingFlags(flags: Flags, env: Environment): readonly string[] {
  const values = valuesOf(flags, env)
  return CONFIG_FLAGS.filter(({ key, required }) => required && !values(key)?.length).map(
    ({ name }) => `--${name}`,
  )
}

/** The YAML text that the flags stand for; a flag wins over its variable. What is not given is left out. */
export function toYaml(flags: Flags, env: Environment): string {
  const values = valuesOf(flags, env)
  const one = (key: string) => values(key)?.[0]
  const clientIds = values('clientId')
  const groups = values('group')
  const rule = { tokenUse: one('tokenUse'), groups: groups && { anyOf: groups } }
  return toYamlText({
    version: 1,
    listen: one('listen'),
    admin: one('admin'),
    userPools: {
      main: {
        userPoolId: one('userPoolId'),
        clientIds: clientIds?.length === 1 && clientIds[0] === 'any' ? 'any' : clientIds,
        issuer: one('issuer'),
        jwksUri: one('jwksUri'),
      },
    },
    upstreams: { main: { targets: values('upstream') } },
    routes: [
      {
        name: 'all',
        match: { path: '/*' },
        access: rule.tokenUse || rule.groups ? rule : 'authenticated',
        upstream: 'main',
      },
    ],
  })
}

function valuesOf(flags: Flags, env: Environment) {
  return (key: string): readonly string[] | undefined => {
    const flag = CONFIG_FLAGS.find((candidate) => candidate.key === key)
    const given = flags[key]
    if (Array.isArray(given) && given.length > 0) return given.map(String)
    if (typeof given === 'string') return [given]
    const variable = (flag && env[flag.env]) || undefined
    if (variable === undefined || !flag?.list)
      return variable === undefined ? undefined : [variable]
    return variable.split(',').flatMap((part) => part.trim() || [])
  }
}
