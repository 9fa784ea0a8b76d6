// Reads a users file into a Directory, or says everything that is wrong with it, each with its place. Guesses nothing.
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { isFlagAttribute, isTextAttribute } from './attributes.ts'
import {
  type DevGroup,
  type DevUser,
  type Directory,
  NAME,
  NO_PRECEDENCE,
  toSubject,
} from './user.ts'

type Path = readonly (string | number)[]
type Mapping = ReadonlyMap<unknown, unknown>
type Report = (path: Path, message: string) => void

/** A users file that cannot be used. The message holds every problem as `FILE:LINE:COL: path: message`, one a line. */
export class UsersFileError extends Error {
  override readonly name = 'UsersFileError'
}

const SCOPE = /^[!#-[\]-~]+$/
const EMPTY: Mapping = new Map()

/** @param file its name, for problems only @throws UsersFileError */
export function parseUsersFile(text: string, file: string): Directory {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
  })
  const problems: string[] = []
  const reportAt = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset)
    problems.push(`${file}:${line}:${col}: ${message}`)
  }
  for (const fault of [...document.errors, ...document.warnings]) {
    reportAt(fault.pos[0], fault.message.split('\n', 1)[0] ?? '')
  }
  if (problems.length > 0) throw new UsersFileError(problems.join('\n'))
  const directory = readDirectory(toValue(document, file), (path, message) =>
    reportAt(offsetOf(document, path), [toPathText(path), message].filter(Boolean).join(': ')),
  )
  if (problems.length > 0) throw new UsersFileError(problems.join('\n'))
  return directory
}

/** Mappings become Maps, so that no name means anything to JavaScript. */
function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ mapAsMap: true })
  } catch (error) {
    throw new UsersFileError(`${file}:1:1: ${(error as Error).message}`)
  }
}

/** Where the key or list member at a path begins; where its nearest parent does when it is missing. */
function offsetOf(document: Document, path: Path): number {
  let node = document.contents as Node | null
  let offset = 0
  for (const step of path) {
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && key.value === step)
      : undefined
    const place = isSeq(node) && typeof step === 'number' ? node.items[step] : pair?.key
    const next = place as Node | null | undefined
    if (!next) return offset
    offset = next.range?.[0] ?? offset
    node = (pair ? pair.value : next) as Node | null
  }
  return offset
}

function toPathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1)
}

function readDirectory(value: unknown, report: Report): Directory {
  const top = readMapping(value, [], ['users', 'groups'], report)
  const users = readMapping(top === EMPTY ? top : top.get('users'), ['users'], undefined, report)
  const groups = readMapping(top.get('groups') ?? EMPTY, ['groups'], undefined, report)
  return {
    users: readNamed(users, 'users', report, readUser),
    groups: readNamed(groups, 'groups', report, readGroup),
  }
}

function readNamed<T>(
  members: Mapping,
  section: string,
  report: Report,
  read: (name: string, value: unknown, path: Path, report: Report) => T,
): ReadonlyMap<string, T> {
  const entries = [...members].map(([key, value]) => {
    const name = String(key)
    if (!NAME.test(name)) report([section, name], 'a name has 1 to 128 characters and no spaces')
    return [name, read(name, value, [section, name], report)] as const
  })
  return new Map(entries)
}

function readUser(username: string, value: unknown, path: Path, report: Report): DevUser {
  const known = ['password', 'sub', 'enabled', 'groups', 'scopes', 'attributes']
  const user = readMapping(value, path, known, report)
  const sub = readText(user.get('sub') ?? toSubject(username), [...path, 'sub'], report)
  const enabled = user.get('enabled') ?? true
  if (typeof enabled !== 'boolean') report([...path, 'enabled'], 'expected true or false')
  return {
    username,
    sub,
    enabled: enabled === true,
    status: 'CONFIRMED',
    password: readText(user.get('password'), [...path, 'password'], report),
    groups: readNames(user.get('groups'), [...path, 'groups'], NAME, report),
    scopes: readNames(user.get('scopes'), [...path, 'scopes'], SCOPE, report),
    attributes: readAttributes(user.get('attributes') ?? EMPTY, [...path, 'attributes'], report),
    createdMs: 0,
    modifiedMs: 0,
  }
}

function readGroup(_name: string, value: unknown, path: Path, report: Report): DevGroup {
  const group = readMapping(value, path, ['role', 'precedence'], report)
  const precedence = group.get('precedence') ?? NO_PRECEDENCE
  if (!Number.isSafeInteger(precedence) || (precedence as number) < 0) {
    report([...path, 'precedence'], 'expected a whole number from 0')
  }
  if (!group.has('role')) return { precedence: precedence as number }
  const role = readText(group.get('role'), [...path, 'role'], report)
  return { precedence: precedence as number, role }
}

function readAttributes(value: unknown, path: Path, report: Report): DevUser['attributes'] {
  const attributes: Record<string, string | boolean> = {}
  for (const [key, given] of readMapping(value, path, undefined, report)) {
    const name = String(key)
    const isFlag = isFlagAttribute(name)
    if (isFlag && typeof given === 'boolean') attributes[name] = given
    else if (isFlag) report([...path, name], 'expected true or false')
    else if (isTextAttribute(name)) attributes[name] = readText(given, [...path, name], report)
    else report([...path, name], 'not a standard attribute; begin your own with custom:')
  }
  return 'email' in attributes ? { email_verified: false, ...attributes } : attributes
}

function readNames(value: unknown, path: Path, pattern: RegExp, report: Report): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) {
    report(path, 'expected a list')
    return []
  }
  value.forEach((member, index) => {
    const isName = typeof member === 'string' && pattern.test(member)
    if (!isName) report([...path, index], 'expected a name without spaces (a number needs quotes)')
  })
  return value
}

function readText(value: unknown, path: Path, report: Report): string {
  if (typeof value === 'string' && value !== '') return value
  if (value === undefined) report(path, 'is required')
  else report(path, 'expected text; put it in quotes if it looks like something else')
  return ''
}

function readMapping(
  value: unknown,
  path: Path,
  known: readonly string[] | undefined,
  report: Report,
): Mapping {
  if (!(value instanceof Map)) {
    report(path, value === undefined ? 'is required' : 'expected a mapping')
    return EMPTY
  }
  for (const key of known === undefined ? [] : value.keys()) {
    if (!known?.includes(key)) report([...path, key], `unknown key; known are ${known?.join(', ')}`)
  }
  return value
}
