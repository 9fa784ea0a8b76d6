// The token in what a user pastes for one, or gives in a file.
import { readFileSync } from 'node:fs'

/** What comes along when a whole header line is copied. */
const SCHEME = /^(?:authorization:\s*)?bearer\s+/i

export function withoutScheme(text: string): string {
  return text.replace(SCHEME, '')
}

/** Undefined where there is no file. @param file `-` for standard input */
export async function readTokenFile(
  file: string | undefined,
  readStdin: () => Promise<string>,
): Promise<string | undefined | { readonly problem: string }> {
  if (file === undefined) return undefined
  try {
    const text = file === '-' ? await readStdin() : readFileSync(file, 'utf8')
    return withoutScheme(text.trim())
  } catch (error) {
    return { problem: `the token file cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}
