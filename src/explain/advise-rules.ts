// What to change where a good token does not satisfy a route's rules, and whether it is a matter of spelling alone.
import type { Situation } from './situation.ts'

type Rules = Pick<Situation, 'route' | 'principal' | 'claims' | 'detail'>

interface Gap {
  /** Names that the route asks for and the caller lacks, as words. */
  readonly missing: string
  /** Undefined where no name differs in spelling alone. */
  readonly twin: string | undefined
}

export function adviseGroup(rules: Rules): string {
  const { route, principal, detail } = rules
  const { missing, twin } = findGap(rules, 'groups', principal?.groups)
  if (twin !== undefined) return `the user is in ${twin}`
  if (missing === '') return `change the groups of route ${route?.name} (${detail})`
  return `add the user to the group ${missing} and get a new token (it keeps the groups of its sign-in), or change groups of route ${route?.name}`
}

export function adviseScope(rules: Rules): string {
  const { route, principal, claims, detail } = rules
  if (claims?.token_use === 'id') {
    return `send the access token: an ID token has no scopes; or take scopes off route ${route?.name}`
  }
  const { missing, twin } = findGap(rules, 'scopes', principal?.scopes)
  if (twin !== undefined) return `the token has ${twin}`
  if (missing === '') return `change the scopes of route ${route?.name} (${detail})`
  return `ask for the scope ${missing} at sign-in (the app client has to allow it) and use that token, or change scopes of route ${route?.name}`
}

export function adviseClaim({ route, claims, detail }: Rules): string {
  const access = typeof route?.access === 'object' ? route.access : undefined
  const [name = '', wanted] =
    Object.entries(access?.claims ?? {}).find(([name]) => detail.startsWith(`claim ${name} of `)) ??
    []
  const seen = claims !== undefined && Object.hasOwn(claims, name) ? claims[name] : undefined
  const change = `claims of route ${route?.name}`
  if (seen === undefined && claims?.token_use === 'access') {
    return `send the ID token and add tokenUse: id to access of route ${route?.name}: an access token has no ${name} unless a pre token generation trigger adds it`
  }
  if (seen === undefined) {
    return `set the attribute ${name} of the user, let the app client read it and get a new token, or change ${change}`
  }
  const twin = [wanted].flat().find((value) => fold(value) === fold(seen))
  if (twin !== undefined) {
    return `write ${JSON.stringify(seen)} in ${change}: it differs from ${JSON.stringify(twin)} in letter case or type alone, and both are compared`
  }
  return `change ${name} of the user and get a new token, or change ${change} (${detail})`
}

function fold(value: unknown): string {
  return String(value).toLowerCase()
}

function findGap({ route }: Rules, what: 'groups' | 'scopes', held: readonly string[] = []): Gap {
  const access = typeof route?.access === 'object' ? route.access : undefined
  const { anyOf = [], allOf = [] } = access?.[what] ?? {}
  const isMet = anyOf.length === 0 || anyOf.some((name) => held.includes(name))
  const lacking = allOf.filter((name) => !held.includes(name))
  const missing = isMet ? lacking.join(' and ') : anyOf.join(' or ')
  const twins = (isMet ? lacking : anyOf).flatMap((name) => {
    const other = held.find((each) => fold(each) === fold(name))
    return other === undefined
      ? []
      : `${other} and the route wants ${name}: names are compared letter by letter, so change one of them`
  })
  return { missing, twin: twins[0] }
}
