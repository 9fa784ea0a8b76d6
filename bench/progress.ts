// Tells on standard error what runs, how far it is and how long it will take. It never writes to standard output.

export interface Progress {
  begin(name: string): void
  say(text: string): void
  end(): void
}

/** `plan`: guessed seconds by name. */
export function createProgress(plan: ReadonlyMap<string, number>): Progress {
  const isTerminal = process.stderr.isTTY === true
  const waiting = new Set(plan.keys())
  let current = ''
  let begunAt = performance.now()

  function secondsLeft(): number {
    const spent = (performance.now() - begunAt) / 1000
    const own = Math.max(0, (plan.get(current) ?? 0) - spent)
    return [...waiting].reduce((sum, name) => sum + (plan.get(name) ?? 0), own)
  }

  return {
    begin(name) {
      waiting.delete(name)
      current = name
      begunAt = performance.now()
    },
    say(text) {
      const line = `${current} · ${text} · ${toDuration(secondsLeft())} left`
      process.stderr.write(isTerminal ? `\r\x1b[2K${line}` : `${line}\n`)
    },
    end() {
      if (isTerminal) process.stderr.write('\r\x1b[2K')
    },
  }
}

function toDuration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}
