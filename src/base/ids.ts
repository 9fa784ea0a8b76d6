// Ids of requests: short, and in the order in which they came.
import { randomBytes } from 'node:crypto'

/** Unique for this process's life, and apart from other processes' with near certainty. */
export function createIds(): () => string {
  const prefix = randomBytes(6).toString('hex')
  let last = 0
  return () => `${prefix}-${(++last).toString(36)}`
}
