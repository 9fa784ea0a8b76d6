// Where .ci/peers.sh puts the programs that stand beside Poolgate in tests.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Undefined where it is neither at that variable's path nor in the cache. @param name its path inside the cache */
export function toolProgram(variable: string, name: string): string | undefined {
  const { [variable]: given, XDG_CACHE_HOME } = process.env
  const cache = XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const program = given ?? join(cache, 'poolgate-tools', name)
  return existsSync(program) ? program : undefined
}
