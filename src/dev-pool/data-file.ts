// Keeps the pool's users and groups in one JSON file, its owner's alone, and replaces it whole. Never writes over what it cannot read.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { DevGroup, DevUser } from './user.ts'
import type { UserState } from './user-state.ts'

/** A data file that cannot be used; it is left as it is. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError'
}

const VERSION = 1
const STATUSES = new Set([
  'UNCONFIRMED',
  'CONFIRMED',
  'FORCE_CHANGE_PASSWORD',
  'RESET_REQUIRED',
  'EXTERNAL_PROVIDER',
])

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

/** Undefined: there is no such file yet. @throws DataFileError */
export function readDataFile(file: string): UserState | undefined {
  const text = readText(file)
  if (text === undefined) return undefined
  const value = parseJson(text)
  const problem = value === undefined ? 'is not JSON' : findProblem(value)
  if (problem !== undefined) {
    throw new DataFileError(
      `${file}: ${problem}; it was left as it is: mend it, or move it away to begin anew`,
    )
  }
  const { users, groups, seed } = value as {
    users: DevUser[]
    groups: (DevGroup & { name: string })[]
    seed: UserState['seed']
  }
  return {
    users: new Map(users.map((user) => [user.username, user])),
    groups: new Map(groups.map(({ name, ...group }) => [name, group])),
    seed,
  }
}

/** @throws DataFileError; what the file held before is still there then */
export function writeDataFile(file: string, { users, groups, seed }: UserState): void {
  const value = {
    version: VERSION,
    seed,
    groups: [...groups].map(([name, group]) => ({ name, ...group })),
    users: [...users.values()],
  }
  const next = `${file}.new`
  try {
    rmSync(next, { force: true })
    // Never through a link that somebody else has put there.
    writeFileSync(next, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(next, file)
  } catch (error) {
    throw new DataFileError(`${file}: cannot be written (${codeOf(error)})`, { cause: error })
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new DataFileError(`${file}: cannot be read (${codeOf(error)})`, { cause: error })
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isNumber: Check = (value) => Number.isFinite(value)
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isAttributes: Check = (value) =>
  isFields(value) && Object.values(value).every((member) => isText(member) || isFlag(member))
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const USER: Readonly<Record<string, Check>> = {
  username: isText,
  sub: isText,
  enabled: isFlag,
  status: (value) => STATUSES.has(value as string),
  password: optional(isText),
  groups: isTexts,
  scopes: isTexts,
  attributes: isAttributes,
  createdMs: isNumber,
  modifiedMs: isNumber,
  totpSecret: optional(isText),
  totpEnabled: optional(isFlag),
  identities: optional((value) => Array.isArray(value) && value.every(isFields)),
  signedOutMs: optional(isNumber),
}
const GROUP: Readonly<Record<string, Check>> = {
  name: isText,
  description: optional(isText),
  role: optional(isText),
  precedence: isNumber,
  createdMs: isNumber,
  modifiedMs: isNumber,
}
const SEED: Readonly<Record<string, Check>> = { digest: isText, users: isTexts, groups: isTexts }

function findProblem(value: unknown): string | undefined {
  if (!isFields(value)) return 'is not a JSON object'
  const { version, users, groups, seed } = value
  if (version !== VERSION) return `version: expected ${VERSION}`
  return (
    findWrong(seed, 'seed', SEED) ?? findIn(groups, 'groups', GROUP) ?? findIn(users, 'users', USER)
  )
}

function findIn(list: unknown, path: string, checks: typeof USER): string | undefined {
  if (!Array.isArray(list)) return `${path}: expected a list`
  return list
    .map((member, index) => findWrong(member, `${path}[${index}]`, checks))
    .find((problem) => problem !== undefined)
}

function findWrong(value: unknown, path: string, checks: typeof USER): string | undefined {
  if (!isFields(value)) return `${path}: expected an object`
  const wrong = Object.entries(checks).find(([name, check]) => !check(value[name]))
  return wrong && `${path}.${wrong[0]}: not what it should be`
}
