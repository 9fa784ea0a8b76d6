// How much and from which seed tests make things up: the same in every run, unless POOLGATE_FUZZ_RUNS and POOLGATE_FUZZ_SEED say to
// look further. Properties are asserted with this module's fast-check.
import fc from 'fast-check'

/** 0 where each test is to take its own number. */
export const FUZZ_RUNS = Number(process.env.POOLGATE_FUZZ_RUNS ?? 0)
export const FUZZ_SEED = Number(process.env.POOLGATE_FUZZ_SEED ?? 20_261_123)

fc.configureGlobal({ seed: FUZZ_SEED, ...(FUZZ_RUNS > 0 && { numRuns: FUZZ_RUNS }) })

export { fc }
