// Configurations for tests: a small valid one with parts replaced, and the problems of one that is not.
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import type { Problem } from '../../src/config/problem.ts'

const PARTS = {
  version: 'version: 1',
  top: '',
  userPools: `userPools:
  main:
    userPoolId: eu-west-1_EXAMPLE01
    clientIds: [client]`,
  upstreams: `upstreams:
  orders:
    targets: [http://127.0.0.1:9]`,
  routes: `routes:
  - name: all
    match: { path: /* }
    access: authenticated
    upstream: orders`,
}

/** A valid configuration, with whole sections replaced. */
export function createConfigText(parts: Partial<typeof PARTS> = {}): string {
  return `${Object.values({ ...PARTS, ...parts })
    .filter((part) => part !== '')
    .join('\n')}\n`
}

type Environment = Readonly<Record<string, string | undefined>>

/** The problems of a text; none where it loads. */
export function problemsOf(text: string, env: Environment = {}): readonly Problem[] {
  try {
    loadConfig(text, 'c.yaml', env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** The same as `path: message`, in order. */
export function messagesOf(text: string, env: Environment = {}): readonly string[] {
  return problemsOf(text, env).map(({ path, message }) => `${path}: ${message}`)
}
