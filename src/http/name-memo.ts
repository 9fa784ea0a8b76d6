// Remembers what was found out of each field name: real traffic has a few dozen spellings. A client that sends any number of others
// makes nothing grow, and nothing slower than it would be without.
import { copyText, hashText } from '../base/text.ts'

const PAIRS = 512
/** Longer names are not remembered: nobody is to fill memory with them. */
const MAX_CHARS = 64

/**
 * `of`, asked once for each name as long as that is remembered; what it says may depend on nothing but the name. Names that hash alike
 * share a pair of places, where the last two are remembered.
 */
export function rememberByName<V>(of: (name: string) => V): (name: string) => V {
  const names = new Array<string>(2 * PAIRS).fill('')
  const values = new Array<V>(2 * PAIRS).fill(of(''))
  return (name) => {
    if (name.length > MAX_CHARS) return of(name)
    const last = 2 * (hashText(name) % PAIRS)
    if (names[last] === name) return values[last] as V
    const earlier = last + 1
    if (names[earlier] === name) return values[earlier] as V
    const value = of(name)
    names[earlier] = names[last] as string
    values[earlier] = values[last] as V
    names[last] = copyText(name)
    values[last] = value
    return value
  }
}
