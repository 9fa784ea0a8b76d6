// Every scenario, in the order of running.
import type { Scenario } from '../scenario.ts'
import { badSignatures } from './bad-signatures.ts'
import { cold } from './cold.ts'
import { decisions } from './decisions.ts'
import { flood } from './flood.ts'
import { hot } from './hot.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { routes } from './routes.ts'
import { soak } from './soak.ts'
import { start } from './start.ts'
import { stream } from './stream.ts'
import { workers } from './workers.ts'

export const scenarios: readonly Scenario[] = [
  hot,
  cold,
  latency,
  start,
  badSignatures,
  flood,
  routes,
  stream,
  idle,
  workers,
  decisions,
  soak,
]
