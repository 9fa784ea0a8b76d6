// The keys of a user pool that lie in a file, for before the first fetch.
import { readFileSync } from 'node:fs'

export interface Seed {
  readonly document?: unknown
  /** Why there is no document. */
  readonly problem?: string
}

/** The document as it stands; whether it holds keys is judged, and told, by the key set. */
export function readSeed(file: string | undefined): Seed {
  if (file === undefined) return {}
  try {
    return { document: JSON.parse(readFileSync(file, 'utf8')) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === undefined ? 'is not JSON' : `cannot be read (${code})`
    return { problem: `the seed file ${file} ${why}` }
  }
}
