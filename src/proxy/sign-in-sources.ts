// What each session depends on of the whole configuration: its own settings, its user pool, and the tokens that routes want of it.
import { identityPoolOf } from '../config/login-key.ts'
import type { Config } from '../config/schema.ts'
import type { SignInOptions } from '../session/sign-in.ts'

export interface SignInSource extends Omit<SignInOptions, 'name'> {
  /** Name of the user pool whose users sign in. */
  readonly userPool: string
}

export function toSignInSources(config: Config): Readonly<Record<string, SignInSource>> {
  const [only = ''] = Object.keys(config.userPools)
  const sources = Object.entries(config.sessions).map(
    ([name, settings]): [string, SignInSource] => {
      const { userPool = only } = settings
      const { issuer: issuers } = config.userPools[userPool] as Config['userPools'][string]
      const { pathPrefix } = config
      return [name, { settings, pathPrefix, userPool, issuers, holds: tokensFor(name, config) }]
    },
  )
  return Object.fromEntries(sources)
}

/** A session holds no token that no route asks for. */
function tokensFor(name: string, config: Config): SignInOptions['holds'] {
  const own = config.routes.filter(({ signIn }) => signIn === name)
  const wanted = own.map(({ access }) => (typeof access === 'string' ? 'access' : access.tokenUse))
  const isExchanged = own.some(({ upstream }) => identityPoolOf(upstream, config) !== undefined)
  const id = isExchanged || wanted.includes('id')
  return { id, access: !id || wanted.some((tokenUse) => tokenUse !== 'id') }
}
