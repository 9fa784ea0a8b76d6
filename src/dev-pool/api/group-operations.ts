// Groups, and who is in them. For operators.
import type { PoolParts } from '../pool-parts.ts'
import { type ApiError, type ApiResult, isApiError, toApiError } from '../api-error.ts'
import { type DevGroup, NAME, NO_PRECEDENCE } from '../user.ts'
import { forPool, forUser } from './callers.ts'
import { type Answered, type Input, type Operation, readText, readTexts } from './operation.ts'
import { readPage } from './page-of.ts'
import { toSeconds, toUserType } from './user-shape.ts'

type GroupOperation = (options: PoolParts, group: NamedGroup, input: Input) => Answered
type NamedGroup = readonly [name: string, group: DevGroup]

export const GROUP_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateGroup: forPool((options, input) => {
    const group = readGroup(input, { precedence: NO_PRECEDENCE })
    if (isApiError(group)) return group
    const { GroupName: name } = group.input
    if (options.store.directory().groups.has(name)) {
      return toApiError('GroupExistsException', 'A group with the name already exists.')
    }
    return saveGroup(options, name, group.group)
  }),
  UpdateGroup: forGroup((options, [name, former], input) => {
    const group = readGroup(input, former)
    return isApiError(group) ? group : saveGroup(options, name, group.group)
  }),
  GetGroup: forGroup((options, group) => ({ body: { Group: toGroupType(options, group) } })),
  DeleteGroup: forGroup(({ store }, [name]) => {
    store.removeGroup(name)
    return { body: {} }
  }),
  ListGroups: forPool((options, input) =>
    toGroupPage(options, [...options.store.directory().groups], input),
  ),
  AdminListGroupsForUser: forUser((options, user, input) => {
    const groups = [...options.store.directory().groups].filter(([name]) =>
      user.groups.includes(name),
    )
    return toGroupPage(options, groups, input)
  }),
  AdminAddUserToGroup: forUser((options, user, input) =>
    forGroup(({ store }, [name]) => {
      if (!user.groups.includes(name)) store.save({ ...user, groups: [...user.groups, name] })
      return { body: {} }
    })(options, input),
  ),
  AdminRemoveUserFromGroup: forUser((options, user, input) =>
    forGroup(({ store }, [name]) => {
      const groups = user.groups.filter((group) => group !== name)
      if (groups.length < user.groups.length) store.save({ ...user, groups })
      return { body: {} }
    })(options, input),
  ),
  ListUsersInGroup: forGroup(({ store }, [name], input) => {
    const users = [...store.directory().users.values()].filter(({ groups }) =>
      groups.includes(name),
    )
    const page = readPage(users, ({ username }) => username, input, 'NextToken')
    if (isApiError(page)) return page
    return {
      body: {
        Users: page.members.map((user) => toUserType(user)),
        ...(page.next !== undefined && { NextToken: page.next }),
      },
    }
  }),
}

function forGroup(run: GroupOperation): Operation {
  return forPool((options, input) => {
    const given = readTexts(input, 'GroupName')
    if (isApiError(given)) return given
    const group = options.store.directory().groups.get(given.GroupName)
    if (group !== undefined) return run(options, [given.GroupName, group], input)
    return toApiError('ResourceNotFoundException', 'Group not found.')
  })
}

/** The group as the input would have it; what is left out stays as it was. */
function readGroup(input: Input, former: DevGroup) {
  const given = readTexts(input, 'GroupName')
  if (isApiError(given)) return given
  if (!NAME.test(given.GroupName)) return refuse('GroupName: 1 to 128 characters, no spaces')
  const { Precedence: precedence = former.precedence } = input
  if (!Number.isSafeInteger(precedence) || Number(precedence) < 0) {
    return refuse('Precedence: a whole number from 0')
  }
  const description = readText(input, 'Description') ?? former.description
  const role = readText(input, 'RoleArn') ?? former.role
  const group: DevGroup = {
    precedence: Number(precedence),
    ...(description !== undefined && { description }),
    ...(role !== undefined && { role }),
  }
  return { input: given, group }
}

function refuse(message: string): ApiError {
  return toApiError('InvalidParameterException', message)
}

function saveGroup(options: PoolParts, name: string, group: DevGroup): ApiResult {
  options.store.saveGroup(name, group)
  const saved = options.store.directory().groups.get(name) ?? group
  return { body: { Group: toGroupType(options, [name, saved]) } }
}

function toGroupPage(options: PoolParts, groups: readonly NamedGroup[], input: Input): ApiResult {
  const page = readPage(groups, ([name]) => name, input, 'NextToken')
  if (isApiError(page)) return page
  return {
    body: {
      Groups: page.members.map((group) => toGroupType(options, group)),
      ...(page.next !== undefined && { NextToken: page.next }),
    },
  }
}

function toGroupType({ userPoolId }: PoolParts, [name, group]: NamedGroup): object {
  const { description, role, precedence, createdMs = 0, modifiedMs = 0 } = group
  return {
    GroupName: name,
    UserPoolId: userPoolId,
    Description: description,
    RoleArn: role,
    ...(precedence !== NO_PRECEDENCE && { Precedence: precedence }),
    CreationDate: toSeconds(createdMs),
    LastModifiedDate: toSeconds(modifiedMs),
  }
}
