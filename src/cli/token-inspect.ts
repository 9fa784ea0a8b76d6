// `poolgate token inspect`: what a token says and what each configured pool says of it. Never prints the signature.
import type { Config } from '../config/schema.ts'
import { toRelative } from '../explain/relative-time.ts'
import { type JsonObject, parseJsonObject } from '../token/strict-json.ts'
import { createVerifier, isRejected } from '../token/verifier.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { fetchKeys, toPoolSettings } from './fetch-keys.ts'
import { withoutScheme } from './token-text.ts'

const TIMES = ['exp', 'nbf', 'iat', 'auth_time']

/**
 * 0 when some configured pool accepts the token, or when there is no configuration to ask and it is a token at all;
 * 1 otherwise.
 */
export async function inspectToken(
  given: string,
  config: Config | undefined,
  context: CommandContext,
): Promise<ExitCode> {
  const token = withoutScheme(given)
  if (token !== given) context.stderr('what stands before the token (Bearer) was left out\n')
  const isToken = describe(token, context)
  if (!isToken) context.stderr('not a token: expected three parts, the first two JSON objects\n')
  if (config === undefined) return isToken ? 0 : 1
  const verdicts = await Promise.all(
    Object.entries(config.userPools).map(([name, pool]) => judge(token, name, pool, context)),
  )
  return verdicts.includes(true) ? 0 : 1
}

/** Tells what the token says; false where it is none. */
function describe(token: string, { stdout, clock }: CommandContext): boolean {
  const [header = '', payload = '', ...rest] = token.split('.')
  const [fields, claims] = [toObject(header), toObject(payload)]
  stdout(`header   ${fields ? JSON.stringify(fields) : 'not a JSON object'}\n`)
  stdout(`claims   ${claims ? JSON.stringify(claims, null, 2) : 'not a JSON object'}\n`)
  for (const name of TIMES) {
    const seconds = claims?.[name]
    if (typeof seconds === 'number') {
      stdout(`${name.padEnd(9)}${toRelative(seconds * 1000 - clock.now())}\n`)
    }
  }
  return fields !== undefined && claims !== undefined && rest.length === 1
}

/** Undefined when the segment is not one strict JSON object. */
function toObject(segment: string): JsonObject | undefined {
  return parseJsonObject(Buffer.from(segment, 'base64url'))
}

async function judge(
  token: string,
  name: string,
  pool: Config['userPools'][string],
  context: CommandContext,
): Promise<boolean> {
  const { clock } = context
  const keys = await fetchKeys(pool, clock, (problem) =>
    context.stderr(`keys of ${name}: ${problem}\n`),
  )
  const verifier = createVerifier({
    clock,
    cache: { entries: 1, bytes: 1_000_000, ttlMs: 1 },
    pools: [{ settings: toPoolSettings(name, pool), keys }],
    toPrincipal: (verified) => verified,
  })
  const outcome = await verifier.verify(token, { userPool: undefined, tokenUse: 'any' })
  keys.stop()
  const verdict = isRejected(outcome)
    ? `refused: ${outcome.reason} (${outcome.detail})`
    : `accepted as ${outcome.tokenUse} token`
  context.stdout(`pool ${name}: ${verdict}\n`)
  return !isRejected(outcome)
}
