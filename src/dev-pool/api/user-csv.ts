// Users from a CSV file in Cognito's own format. Each line stands alone: a bad one is counted, not guessed at.
import { CsvError, parse } from 'csv-parse/sync'
import { isApiError } from '../api-error.ts'
import { toNewUser } from '../accounts.ts'
import { type Attributes, aliasesOf, parseAttributes, STANDARD_ATTRIBUTES } from '../attributes.ts'
import { NAME, type UserDraft } from '../user.ts'
import type { UserStore } from '../user-store.ts'

export interface ImportCounts {
  readonly imported: number
  /** The user is there already. */
  readonly skipped: number
  readonly failed: number
}

/** Every attribute, with what Cognito has beside them. */
export function toCsvHeader(custom: Iterable<string>): readonly string[] {
  return [...STANDARD_ATTRIBUTES, UPDATED_AT, ...custom, 'cognito:mfa_enabled', 'cognito:username']
}

/** A column that Cognito has; the store keeps times of its own. */
const UPDATED_AT = 'updated_at'

const REQUIRED = ['cognito:username', 'cognito:mfa_enabled']
const CSV = { bom: true, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'] }
type Row = Readonly<Record<string, string>>

/** Takes in what can be taken. A string says why the file as a whole cannot. */
export function importUsers(store: UserStore, csv: string): ImportCounts | string {
  const rows = readRows(csv)
  if (typeof rows === 'string') return rows
  const { users } = store.directory()
  const taken = new Set([...users.values()].flatMap(namesOf))
  const drafts: UserDraft[] = []
  const counts = { imported: 0, skipped: 0, failed: 0 }
  for (const row of rows) {
    const draft = toDraft(row)
    const outcome = toOutcome(draft, taken)
    counts[outcome] += 1
    if (outcome !== 'imported' || draft === undefined) continue
    for (const name of namesOf(draft)) taken.add(name)
    drafts.push(draft)
  }
  store.saveAll(drafts)
  return counts
}

function namesOf({ username, attributes }: UserDraft): readonly string[] {
  return [username, ...aliasesOf(attributes)]
}

function toOutcome(draft: UserDraft | undefined, taken: ReadonlySet<string>): keyof ImportCounts {
  if (draft === undefined) return 'failed'
  if (taken.has(draft.username)) return 'skipped'
  return namesOf(draft).some((name) => taken.has(name)) ? 'failed' : 'imported'
}

function readRows(csv: string): readonly Row[] | string {
  try {
    const [header = [], ...lines] = parse(csv, CSV)
    const names = header.map((name) => name.trim())
    const missing = REQUIRED.find((name) => !names.includes(name))
    if (missing !== undefined) return `The header of the CSV file has no ${missing}.`
    if (new Set(names).size < names.length) return 'The header of the CSV file names one twice.'
    return lines.map((line) => {
      const isWhole = line.length === names.length
      return Object.fromEntries(isWhole ? names.map((name, at) => [name, line[at] ?? '']) : [])
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return `The CSV file cannot be read: ${error.message}`
  }
}

/** Undefined: the line does not say what it has to, or says what cannot be. */
function toDraft(row: Row): UserDraft | undefined {
  const { 'cognito:username': username = '', 'cognito:mfa_enabled': mfa, ...others } = row
  if (!NAME.test(username) || !isFlag(mfa)) return undefined
  const given = Object.entries(others)
    .filter(([name, value]) => value !== '' && name !== UPDATED_AT)
    .map(([name, value]) => [name, toFlagText(name, value)] as const)
  const attributes = parseAttributes(given)
  if (isApiError(attributes) || !isReachable(attributes)) return undefined
  return { ...toNewUser(username, attributes), status: 'RESET_REQUIRED' }
}

function isFlag(text: string | undefined): boolean {
  return /^(?:true|false)$/i.test(text ?? '')
}

function toFlagText(name: string, value: string): string {
  return name.endsWith('_verified') ? value.toLowerCase() : value
}

/** Somewhere the code for a first password can go to. */
function isReachable(attributes: Attributes): boolean {
  return aliasesOf(attributes).length > 0
}
