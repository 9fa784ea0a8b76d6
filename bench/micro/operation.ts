// What is timed, and how: blocks of every operation in turn, A B C A B C, so that a slow phase of the machine meets all alike.
// Must never time an operation whose result nobody looks at.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Does the operation `count` times and gives a number that depends on every result. */
export type Block = () => number | Promise<number>

export interface Operation {
  readonly name: string
  /** Operations in one block. */
  readonly count: number
  /** Makes ready, untimed, what one block uses up. */
  prepare(): Block
  /** What is wrong: empty when good input gets the right answer and bad input is refused. */
  check(): string[] | Promise<string[]>
}

export interface Measured {
  readonly name: string
  /** CPU microseconds per operation, one for each round. */
  readonly samples: readonly number[]
}

export interface Rounds {
  /** Not counted; the compiler needs them. */
  readonly warmUp: number
  readonly counted: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void

/**
 * Takes the CPU time of the process, which a neighbour on the machine disturbs least; threads of the collector and the
 * thread pool are in it.
 */
export async function measureInTurn(
  operations: readonly Operation[],
  { warmUp, counted }: Rounds,
  onRound: (round: number) => void,
): Promise<{ readonly measured: readonly Measured[]; readonly checksum: number }> {
  const samples = operations.map((): number[] => [])
  let checksum = 0
  for (let round = -warmUp; round < counted; round++) {
    onRound(round)
    for (const [index, operation] of operations.entries()) {
      const block = operation.prepare()
      collect({ type: 'minor' })
      const before = process.cpuUsage()
      checksum = (checksum + (await block())) % 1e9
      // Each block pays for its own garbage, also one that makes too little to bring the collector on.
      collect({ type: 'minor' })
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) samples[index]?.push((user + system) / operation.count)
    }
  }
  const measured = operations.map(({ name }, index) => ({ name, samples: samples[index] ?? [] }))
  return { measured, checksum }
}

/** An operation on one item after the other, for ever; `once` gives a number that is 0 when something went wrong. */
export function toOperation<T>(
  name: string,
  count: number,
  items: readonly T[],
  once: (item: T) => number,
  check: Operation['check'],
): Operation {
  let next = 0
  const run = () => {
    let sum = 0
    for (let done = 0; done < count; done++) {
      const result = once(items[next] as T)
      if (result === 0) throw new Error(`${name}: a wrong answer while timing`)
      sum += result
      next = next + 1 === items.length ? 0 : next + 1
    }
    return sum
  }
  return { name, count, prepare: () => run, check }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
