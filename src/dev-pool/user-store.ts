// The dev pool's users and groups as they are now: from the users file as it changes, from the API, from the data file.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Clock, Timer } from '../base/clock.ts'
import { aliasesOf, toAlias } from './attributes.ts'
import { DataFileError, readDataFile, writeDataFile } from './data-file.ts'
import { DEFAULT_USERS } from './default-users.ts'
import type { DevGroup, DevUser, Directory, UserDraft } from './user.ts'
import {
  NO_USERS,
  type UserState,
  withGroup,
  withoutGroup,
  withoutUser,
  withSeed,
  withUsers,
} from './user-state.ts'
import { parseUsersFile, UsersFileError } from './users-file.ts'

export interface UserStore {
  directory(): Directory
  /** By username, or by a verified e-mail address or phone number that is nobody else's. */
  find(nameOrAlias: string): DevUser | undefined
  /** Puts a user in place of the former one of that name; the store sets the times. Gives what is kept. */
  save(user: UserDraft): DevUser
  /** The same for many, as one change. */
  saveAll(users: readonly UserDraft[]): void
  remove(username: string): void
  saveGroup(name: string, group: DevGroup): void
  removeGroup(name: string): void
  stop(): void
}

export interface UserStoreOptions {
  readonly clock: Clock
  /** Undefined: the built-in users. */
  readonly usersFile?: string | undefined
  /** Where all is kept; undefined: in memory only. */
  readonly dataFile?: string | undefined
  /** The users file changed: undefined when the new users are in force, or why the former ones stay. Once for each change. */
  readonly onChange: (problem: string | undefined) => void
}

const POLL_MS = 500

/** @throws UsersFileError, DataFileError when a file cannot be used at the start; from then on only writing throws */
export function createUserStore(options: UserStoreOptions): UserStore {
  const { clock, usersFile, dataFile, onChange } = options
  let state = dataFile === undefined ? NO_USERS : (readDataFile(dataFile) ?? NO_USERS)

  // What cannot be kept does not come into force.
  function commit(next: UserState): void {
    if (dataFile !== undefined) writeDataFile(dataFile, next)
    state = next
  }

  function seed(text: string, file: string): void {
    const digest = createHash('sha256').update(text).digest('hex')
    const directory = parseUsersFile(text, file)
    if (digest !== state.seed.digest) commit(withSeed(state, directory, digest, clock.now()))
  }

  const watch = usersFile === undefined ? undefined : watchFile(usersFile, clock, onChange, seed)
  if (watch === undefined) seed(DEFAULT_USERS, 'built-in users')
  return {
    directory: () => state,
    find: (nameOrAlias) => state.users.get(nameOrAlias) ?? findByAlias(state, nameOrAlias),
    save(user) {
      commit(withUsers(state, [user], clock.now()))
      return state.users.get(user.username) as DevUser
    },
    saveAll: (users) => commit(withUsers(state, users, clock.now())),
    remove: (username) => commit(withoutUser(state, username)),
    saveGroup: (name, group) => commit(withGroup(state, name, group, clock.now())),
    removeGroup: (name) => commit(withoutGroup(state, name)),
    stop: () => watch?.cancel(),
  }
}

function findByAlias({ users }: UserState, given: string): DevUser | undefined {
  const alias = toAlias(given)
  // Who comes from a provider has no password, and whatever address the provider says: nobody is found by that.
  const [found, ...others] = [...users.values()].filter(
    ({ attributes, status }) =>
      status !== 'EXTERNAL_PROVIDER' && aliasesOf(attributes).includes(alias),
  )
  return others.length === 0 ? found : undefined
}

interface Content {
  readonly text?: string
  readonly problem?: string
}

/** Hands over the text at once and after each change. @throws UsersFileError at once only */
function watchFile(
  file: string,
  clock: Clock,
  onChange: UserStoreOptions['onChange'],
  seed: (text: string, file: string) => void,
): Timer {
  let seen = read(file)
  seed(toText(seen), file)
  let timer: Timer

  function adopt(next: Content): void {
    if (next.text === seen.text && next.problem === seen.problem) return
    seen = next
    try {
      seed(toText(next), file)
      onChange(undefined)
    } catch (error) {
      if (!(error instanceof UsersFileError || error instanceof DataFileError)) throw error
      onChange(error.message)
    }
  }

  // Polled by content: events of the file system get lost in containers, on network disks and when editors rename.
  function poll(): void {
    timer = clock.after(POLL_MS, () => {
      adopt(read(file))
      poll()
    })
  }
  poll()
  return { cancel: () => timer.cancel() }
}

function read(file: string): Content {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { problem: `${file}:1:1: cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

function toText({ text, problem = '' }: Content): string {
  if (text === undefined) throw new UsersFileError(problem)
  return text
}
