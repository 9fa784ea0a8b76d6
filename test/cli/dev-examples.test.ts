// The lines of the guide: one for each kind of answer that the users at hand can show.
import t from 'tap'
import { type GuideUser, toExamples } from '../../src/cli/dev-examples.ts'

function user(username: string, changes: Partial<GuideUser> = {}): GuideUser {
  return {
    username,
    sub: `sub of ${username}`,
    password: 'x',
    enabled: true,
    groups: [],
    scopes: [],
    attributes: {},
    ...changes,
  }
}

function examples(
  users: readonly GuideUser[],
  upstream: string | undefined = 'http://127.0.0.1:7000',
) {
  const gateway = 'http://127.0.0.1:8080'
  return toExamples({ gateway, mintUrl: 'http://127.0.0.1:9229/_dev/mint', users, upstream })
}

const ADMIN = user('admin', { groups: ['admins'], scopes: ['orders/write'] })
const READER = user('reader', { groups: ['readers'], attributes: { 'custom:tenant': 'acme' } })
const statuses = (users: GuideUser[]) => examples(users).map(({ status }) => status)

t.test('there is a line for each kind of answer', async (t) => {
  const routes = [200, 401, 200, 401, 403, 200, 403, 200]
  t.same(statuses([ADMIN, READER]), [...routes, 200, 200, 200, 401, 200])
  t.same(statuses([ADMIN, READER, user('jane')]), [...routes, 200, 200, 403, 200, 401, 200])
})

t.test('with other users the lines that fit remain', async (t) => {
  t.same(statuses([]), [200, 401, 200])
  t.same(statuses([user('off', { enabled: false })]), [200, 401, 200])
  t.same(
    statuses([ADMIN]),
    [200, 401, 200, 401, 200, ...[200, 200, 401, 200]],
    'nobody is outside of admins',
  )
  t.same(statuses([user('jane')]), [200, 401, 200, 401, 403, 403, ...[200, 200, 401, 200]])
})

t.test('a line signs in by itself, as somebody who is no administrator where it can', async (t) => {
  const commands = examples([ADMIN, READER]).map(({ command }) => command)
  t.equal(
    commands[2],
    'curl -i -H "Authorization: Bearer $(curl -s -d user=reader http://127.0.0.1:9229/_dev/mint)" http://127.0.0.1:8080/orders',
  )
  t.match(commands[5], 'user=admin')
  t.match(commands[7], "'user=reader&use=id'")
})

t.test('a file is put below the subject of its owner, and asked for by others', async (t) => {
  const jane = user('jane')
  const lines = examples([ADMIN, READER, jane]).filter(({ command }) => command.includes('/files/'))
  t.same(
    lines.map(({ command }) => /user=\w+(?:&use=id)?/.exec(command)?.[0]),
    [
      'user=reader&use=id',
      'user=reader&use=id',
      'user=jane&use=id',
      'user=admin&use=id',
      'user=reader',
      undefined,
    ],
  )
  for (const { command } of lines.slice(0, -1)) {
    t.match(command, ' http://127.0.0.1:8080/files/users/sub%20of%20reader/notes.txt')
  }
  t.match(
    lines.at(-1)?.command,
    /^curl -i http:\/\/127\.0\.0\.1:8080\/files\/public\/welcome\.txt$/,
  )
})

t.test('with routes that are not its own the guide asks for / alone', async (t) => {
  const facts = { gateway: 'http://127.0.0.1:8080', mintUrl: 'http://127.0.0.1:9229/_dev/mint' }
  const [one, ...others] = toExamples({ ...facts, users: [READER], upstream: undefined })
  t.match(one?.command, /http:\/\/127\.0\.0\.1:8080\/$/)
  t.same(others, [])
})
