// Puts short work off to the end of the present turn of the event loop. Writes that are put off leave together: a peer on another
// core is woken once for many of them, which costs less than all else that a small request needs.

export interface PutOff {
  run(): void
}

/** A function that has `run` called at the end of this turn, in the order of the calls. `run` must not throw. */
export function createTurnEnd(): (item: PutOff) => void {
  let items: PutOff[] = []
  function runAll(): void {
    const due = items
    items = []
    for (const item of due) item.run()
  }
  return (item) => {
    if (items.push(item) === 1) setImmediate(runAll)
  }
}
