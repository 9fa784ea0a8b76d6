// All that the pool knows of users and groups, as one value, and how a change makes the next one. Touches nothing outside.
import {
  type DevGroup,
  type DevUser,
  type Directory,
  NO_PRECEDENCE,
  type UserDraft,
} from './user.ts'

export interface UserState extends Directory {
  /** What came from the users file as it was read last. */
  readonly seed: Seed
}

export interface Seed {
  /** Of the file's text: tells whether it has changed since. */
  readonly digest: string
  readonly users: readonly string[]
  readonly groups: readonly string[]
}

export const NO_USERS: UserState = {
  users: new Map(),
  groups: new Map(),
  seed: { digest: '', users: [], groups: [] },
}

/** The groups that the users name are there from then on. */
export function withUsers(
  state: UserState,
  drafts: readonly UserDraft[],
  nowMs: number,
): UserState {
  const made = drafts.map((draft) => stamp(draft, state.users.get(draft.username), nowMs))
  const named = made.map((user): [string, DevUser] => [user.username, user])
  const users = new Map([...state.users, ...named])
  return { ...state, users, groups: withGroupsOf(made, state.groups, nowMs) }
}

export function withoutUser(state: UserState, username: string): UserState {
  return { ...state, users: without(state.users, [username]) }
}

export function withGroup(
  state: UserState,
  name: string,
  group: DevGroup,
  nowMs: number,
): UserState {
  const stamped = stamp(group, state.groups.get(name), nowMs)
  return { ...state, groups: new Map(state.groups).set(name, stamped) }
}

/** Its members are in it no more. */
export function withoutGroup(state: UserState, name: string): UserState {
  const users = [...state.users.values()].map((user): [string, DevUser] => [
    user.username,
    { ...user, groups: user.groups.filter((group) => group !== name) },
  ])
  return { ...state, users: new Map(users), groups: without(state.groups, [name]) }
}

/** Puts what the users file has, as it stands there, and takes away what it had before and has no more. */
export function withSeed(
  state: UserState,
  { users, groups }: Directory,
  digest: string,
  nowMs: number,
): UserState {
  const nextUsers = without(
    state.users,
    state.seed.users.filter((name) => !users.has(name)),
  )
  for (const [name, user] of users) {
    const former = nextUsers.get(name)
    // Whom the pool has signed out stays signed out, whatever the file says of the rest.
    const signedOut = former?.signedOutMs !== undefined && { signedOutMs: former.signedOutMs }
    nextUsers.set(name, stamp({ ...user, ...signedOut }, former, nowMs))
  }
  const nextGroups = without(
    state.groups,
    state.seed.groups.filter((name) => !groups.has(name)),
  )
  for (const [name, group] of groups) {
    nextGroups.set(name, stamp(group, nextGroups.get(name), nowMs))
  }
  return {
    users: nextUsers,
    // A group that left the file stays, without its role, as long as somebody is in it.
    groups: withGroupsOf(nextUsers.values(), nextGroups, nowMs),
    seed: { digest, users: [...users.keys()], groups: [...groups.keys()] },
  }
}

function withGroupsOf(
  users: Iterable<DevUser>,
  groups: UserState['groups'],
  nowMs: number,
): UserState['groups'] {
  const all = new Map(groups)
  for (const name of [...users].flatMap((user) => user.groups)) {
    if (!all.has(name)) all.set(name, stamp({ precedence: NO_PRECEDENCE }, undefined, nowMs))
  }
  return all
}

interface Times {
  readonly createdMs: number
  readonly modifiedMs: number
}

function stamp<T>(made: T, former: Partial<Times> | undefined, nowMs: number): T & Times {
  return { ...made, createdMs: former?.createdMs ?? nowMs, modifiedMs: nowMs }
}

function without<T>(members: ReadonlyMap<string, T>, names: readonly string[]): Map<string, T> {
  return new Map([...members].filter(([name]) => !names.includes(name)))
}
