// The dev pool's users, current: reads the users file again when it changes and keeps the last good one when it is wrong.
import { readFileSync } from 'node:fs'
import type { Clock, Timer } from '../base/clock.ts'
import { DEFAULT_USERS } from './default-users.ts'
import type { Directory } from './user.ts'
import { parseUsersFile, UsersFileError } from './users-file.ts'

export interface Users {
  current(): Directory
  stop(): void
}

export interface UsersOptions {
  readonly clock: Clock
  /** Undefined: the built-in users. */
  readonly file?: string | undefined
  /** The file changed: undefined when the new users are in force, or why the former ones stay. Once for each change. */
  readonly onChange: (problem: string | undefined) => void
}

const POLL_MS = 500

/** @throws UsersFileError when the file cannot be used at the start */
export function createUsers({ clock, file, onChange }: UsersOptions): Users {
  if (file === undefined) {
    const builtIn = parseUsersFile(DEFAULT_USERS, 'built-in users')
    return { current: () => builtIn, stop: () => {} }
  }
  let seen = read(file)
  let current = parseUsersFile(toText(seen), file)
  let timer: Timer

  function adopt(next: Content): void {
    if (next.text === seen.text && next.problem === seen.problem) return
    seen = next
    try {
      current = parseUsersFile(toText(next), file as string)
      onChange(undefined)
    } catch (error) {
      if (!(error instanceof UsersFileError)) throw error
      onChange(error.message)
    }
  }

  // Polled by content: events of the file system get lost in containers, on network disks and when editors rename.
  function poll(): void {
    timer = clock.after(POLL_MS, () => {
      adopt(read(file as string))
      poll()
    })
  }
  poll()
  return { current: () => current, stop: () => timer.cancel() }
}

interface Content {
  readonly text?: string
  readonly problem?: string
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
