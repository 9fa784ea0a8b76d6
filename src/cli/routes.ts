// `poolgate routes`: the route table in match order.
import type { Config } from '../config/schema.ts'
import { compileRules } from '../policy/compile-rules.ts'
import type { CommandContext, ExitCode } from './command-context.ts'

export function routes(config: Config, context: CommandContext): ExitCode {
  const rows = compileRules(config).table.inOrder.map(({ route }) => {
    const { match, access, signIn, upstream } = config.routes[
      route.index
    ] as Config['routes'][number]
    return [
      route.name,
      (match.methods ?? ['*']).join(','),
      (match.hosts ?? ['*']).join(','),
      match.path,
      toWords(access),
      signIn ?? '-',
      upstream,
    ]
  })
  context.stdout(
    toTable([['NAME', 'METHODS', 'HOSTS', 'PATH', 'ACCESS', 'SIGN-IN', 'UPSTREAM'], ...rows]),
  )
  return 0
}

function toWords(access: Config['routes'][number]['access']): string {
  if (typeof access === 'string') return access
  const { userPool, tokenUse, groups, scopes, claims } = access
  const words = [`${tokenUse} token`]
  if (userPool !== undefined) words.push(`of ${userPool}`)
  for (const [what, rule] of Object.entries({ groups, scopes })) {
    for (const [how, values] of Object.entries(rule ?? {})) {
      if (values !== undefined) words.push(`${what} ${how} [${values.join(', ')}]`)
    }
  }
  for (const [name, value] of Object.entries(claims ?? {}))
    words.push(`${name}=${JSON.stringify(value)}`)
  return words.join(', ')
}

function toTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const toLine = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${toLine(row)}\n`).join('')
}
