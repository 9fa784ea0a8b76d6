// Public test vectors, read from the directory that POOLGATE_CORPORA names. They are not part of this repository.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * The parsed vectors of `name` (without `.json`), typed as the caller knows them; undefined, with a skip that says
 * so, when POOLGATE_CORPORA is unset.
 */
export function loadCorpus<T>(t: Test, name: string): T | undefined {
  const directory = process.env.POOLGATE_CORPORA
  if (directory === undefined || directory === '') {
    t.plan(0, `POOLGATE_CORPORA is unset: the vectors of ${name} were not run`)
    return undefined
  }
  return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as T
}
