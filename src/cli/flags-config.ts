// The configuration that serve's flags and POOLGATE_* variables stand for: one protected route. It goes through load like a file.
import { ConfigError, loadConfig, loadConfigFile, type PrintableConfig } from '../config/load.ts'
import type { Problem } from '../config/problem.ts'
import { toYamlText } from '../config/yaml-text.ts'
import { problemOf, toUnknownMessage, unknownVariables } from './variables.ts'

export interface ConfigFlag {
  /** Without dashes. */
  readonly name: string
  /** Its camelCase key among the parsed options. */
  readonly key: string
  readonly env: string
  /** How help names its value. */
  readonly value: string
  readonly description: string
  /** May be given more than once, and holds several values between commas; the same in the environment. */
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
    description: 'accepted app clients, with commas or repeated; any for every one',
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
    description: 'groups that may pass, with commas or repeated (default: every valid token may)',
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
const ENVIRONMENT = '(environment)'
const VARIABLES = CONFIG_FLAGS.map(({ env }) => env)

/** The file, or what the flags stand for where there is none. @throws ConfigError */
export function loadFileOrFlags(
  file: string | undefined,
  flags: Flags,
  env: Environment,
): PrintableConfig {
  if (file !== undefined) return loadFileAlone(file, flags, env)
  const problems = [...findEmpty(flags, env), ...findUnknown(env)]
  if (problems.length > 0) throw new ConfigError(problems)
  return loadConfig(toYaml(flags, env), FLAGS_FILE, env)
}

/** A flag or variable beside a file would ask for something, such as a group, that then nobody asks for. */
function loadFileAlone(file: string, flags: Flags, env: Environment): PrintableConfig {
  const given = CONFIG_FLAGS.filter(({ key }) => flags[key] !== undefined)
  if (given.length > 0) throw besideFile(file, given.map(({ name }) => `--${name}`).join(', '))
  const loaded = loadConfigFile(file, env)
  const isOurs = (name: string) => env[name] !== undefined && !loaded.variables.has(name)
  const passedOver = VARIABLES.filter(isOurs)
  if (passedOver.length > 0) {
    throw besideFile(file, `${passedOver.join(', ')}, which the file does not refer to`)
  }
  const unknown = findUnknown(env).filter(({ path }) => isOurs(path))
  return { ...loaded, warnings: [...loaded.warnings, ...unknown] }
}

function besideFile(file: string, names: string): ConfigError {
  return new ConfigError([problemOf(file, '', `give either a file or ${names}`)])
}

/** An empty value may come from a template that lacks one; it never means that nothing was asked for. */
function findEmpty(flags: Flags, env: Environment): readonly Problem[] {
  return CONFIG_FLAGS.flatMap((flag) => {
    const given = valuesOf(flag, flags, {})
    const variable = valuesOf(flag, {}, env)
    return [
      ...(given?.includes('') ? [problemOf(FLAGS_FILE, `--${flag.name}`, EMPTY)] : []),
      ...(variable?.includes('') ? [problemOf(ENVIRONMENT, flag.env, EMPTY)] : []),
    ]
  })
}

const EMPTY = 'an empty value; give one, or leave it out altogether'

function findUnknown(env: Environment): readonly Problem[] {
  return unknownVariables(env, VARIABLES).map((name) =>
    problemOf(ENVIRONMENT, name, toUnknownMessage(name, VARIABLES)),
  )
}

/** Undefined, or which required flags neither the command line nor the environment gives, and what may have been meant. */
export function findMissing(flags: Flags, env: Environment): string | undefined {
  const missing = CONFIG_FLAGS.filter(
    (flag) => flag.required && valuesOf(flag, flags, env) === undefined,
  )
  if (missing.length === 0) return undefined
  const names = missing.map(({ name }) => `--${name}`).join(', ')
  const hints = findUnknown(env).map(({ path, message }) => `\n${path}: ${message}`)
  return names + hints.join('')
}

/** The YAML text that the flags stand for; a flag wins over its variable. What is not given is left out. */
export function toYaml(flags: Flags, env: Environment): string {
  const values = (key: string) => {
    const flag = CONFIG_FLAGS.find((candidate) => candidate.key === key)
    return flag && valuesOf(flag, flags, env)
  }
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
        access: rule.tokenUse !== undefined || rule.groups ? rule : 'authenticated',
        upstream: 'main',
      },
    ],
  })
}

/** What a flag, or else its variable, holds; undefined where neither is given. */
function valuesOf(
  { key, env, list }: ConfigFlag,
  flags: Flags,
  environment: Environment,
): readonly string[] | undefined {
  const given = [flags[key] ?? environment[env] ?? []].flat().map(String)
  if (given.length === 0) return undefined
  return list ? given.flatMap((text) => text.split(',').map((part) => part.trim())) : given
}
