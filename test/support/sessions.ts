// Sessions for tests: settings with every default, and the Cookie field that a browser would send after some Set-Cookie values.
import { loadConfig } from '../../src/config/load.ts'
import type { SessionSettings } from '../../src/config/schema-session.ts'
import type { Session } from '../../src/session/session.ts'

export const SESSION_KEYS = [
  'the first key of these tests, 32 chars',
  'the second key of these tests, 32 char',
]

export function createSessionSettings(
  changes: Readonly<Record<string, unknown>> = {},
): SessionSettings {
  const session = {
    domain: 'https://login.example',
    clientId: 'client',
    origins: ['https://app.example'],
    keys: SESSION_KEYS.slice(0, 1),
    ...changes,
  }
  const text = JSON.stringify({
    version: 1,
    userPools: { main: { userPoolId: 'eu-west-1_EXAMPLE01', clientIds: ['client'] } },
    sessions: { web: session },
    upstreams: { up: { targets: ['http://127.0.0.1:9'] } },
    routes: [
      {
        name: 'all',
        match: { path: '/*' },
        access: 'authenticated',
        signIn: 'web',
        upstream: 'up',
      },
    ],
  })
  return loadConfig(text, 'c.yaml', {}).config.sessions.web as SessionSettings
}

export function createSession(nowMs: number, changes: Partial<Session> = {}): Session {
  return {
    id: 'an id of this test',
    subject: 'subject',
    tokens: { access: 'access-1', refresh: 'refresh-1' },
    tokensEndMs: nowMs + 3_600_000,
    createdMs: nowMs,
    seenMs: nowMs,
    endsMs: nowMs + 12 * 3_600_000,
    ...changes,
  }
}

/** What a browser keeps: name → value. */
export class CookieJar {
  readonly cookies = new Map<string, string>()

  take(setCookies: readonly string[]): this {
    for (const line of setCookies) {
      const [pair = ''] = line.split(';', 1)
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals)
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, pair.slice(equals + 1))
    }
    return this
  }

  /** As a request has it: name, value. */
  headers(): string[] {
    const field = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return field === '' ? [] : ['Cookie', field]
  }
}
