// The POOLGATE_* variables of the environment. None is passed over in silence: one that was meant to restrict access and is
// not read would leave it open.
import type { Problem } from '../config/problem.ts'
import { suggest } from '../config/suggest.ts'

type Environment = Readonly<Record<string, string | undefined>>

const PREFIX = 'POOLGATE_'

/** What Kubernetes sets in every pod for a Service whose name begins with poolgate. */
const SERVICE_LINK =
  /^POOLGATE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//

/** Names in the environment that begin like ours, in any case, and are not in `known`. */
export function unknownVariables(env: Environment, known: readonly string[]): readonly string[] {
  return Object.keys(env).filter(
    (name) =>
      name.toUpperCase().startsWith(PREFIX) &&
      env[name] !== undefined &&
      !known.includes(name) &&
      !isServiceLink(name, env[name]),
  )
}

function isServiceLink(name: string, value: string): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && SERVICE_ADDRESS.test(value))
}

/** What to say of a variable that nothing reads. */
export function toUnknownMessage(name: string, known: readonly string[]): string {
  // The prefix, which is the same for all, would make every name seem near.
  const meant = suggest(
    name.slice(PREFIX.length),
    known.map((each) => each.slice(PREFIX.length)),
  )
  const hint =
    meant === undefined ? `there are ${known.join(', ')}` : `did you mean "${PREFIX}${meant}"?`
  return `nothing reads this variable; ${hint}`
}

/** A problem of the environment or the command line, which have no lines. */
export function problemOf(file: string, path: string, message: string): Problem {
  return { file, line: 1, column: 1, path, message, snippet: '' }
}
