// Says once that something has begun to fail, and once that it is well again, however often it is asked in between.

export interface HealthReport {
  failed(problem: string): void
  worked(): void
}

/** @param changed told a problem, or undefined once it is well again */
export function createHealthReport(changed: (problem: string | undefined) => void): HealthReport {
  let isFailing = false
  return {
    failed(problem) {
      if (!isFailing) changed(problem)
      isFailing = true
    },
    worked() {
      if (isFailing) changed(undefined)
      isFailing = false
    },
  }
}
