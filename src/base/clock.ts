// Time as a value that is handed down, so that tests own it. Nothing below main reads the machine's clock.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock in milliseconds since the epoch; judges token times and may step. */
  now(): number
  /** Milliseconds that never step backwards; judges durations and back-off. */
  monotonic(): number
  /** Runs `run` once after `delayMs`; the timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
}
