// The token in what a user pastes for one.

/** What comes along when a whole header line is copied. */
const SCHEME = /^(?:authorization:\s*)?bearer\s+/i

export function withoutScheme(text: string): string {
  return text.replace(SCHEME, '')
}
