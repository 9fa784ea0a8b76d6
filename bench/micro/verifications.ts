// Tokens proven good, each from a fresh string: ones that were seen before, and ones that were not.
import { verify as verifySignature } from 'node:crypto'
import { isRejected, type Verifier } from '../../src/token/verifier.ts'
import type { Caller } from '../../src/policy/authorize.ts'
import { type Operation, toOperation } from './operation.ts'
import {
  createAwsJwtVerify,
  createJose,
  type CreateFastJwtVerify,
  type VerifyToken,
  type VerifyTokenLater,
} from './peers.ts'
import { createPoolgateParts } from './poolgate-parts.ts'
import { FILLERS, toFreshText, type TokenSupply } from './token-supply.ts'

export interface VerificationSizes {
  /** Look-ups in a block. */
  readonly lookUps: number
  /** Cold verifications in a block. */
  readonly verifications: number
  /** Tokens that a cache of known ones holds. */
  readonly cacheEntries: number
}

export const NAMES = {
  lookUp: 'Poolgate verifier, known token',
  cold: 'Poolgate verifier, new token',
  signature: 'crypto.verify with a KeyObject',
} as const

const WANTED = { userPool: 'main', tokenUse: 'access' } as const
const HOT_TOKENS = 100

export async function createLookUps(
  supply: TokenSupply,
  { lookUps, cacheEntries }: VerificationSizes,
  fastJwt: CreateFastJwtVerify | undefined,
): Promise<Operation[]> {
  const hot = { ...supply, tokens: supply.tokens.slice(0, HOT_TOKENS) }
  const { verifier } = await createPoolgateParts(supply, { routes: 1, cacheEntries })
  return [
    toOperation(
      'fresh string alone',
      lookUps,
      hot.tokens,
      (b) => toFreshText(b).length,
      () => [],
    ),
    toVerification(NAMES.lookUp, lookUps, hot, toVerify(verifier)),
    ...(fastJwt
      ? [toVerification('fast-jwt, cache hit', lookUps, hot, fastJwt(cacheEntries))]
      : []),
  ]
}

export async function createVerifications(
  supply: TokenSupply,
  { verifications: count, cacheEntries }: VerificationSizes,
  fastJwt: CreateFastJwtVerify | undefined,
): Promise<Operation[]> {
  // Full of others, as a cache is when tokens are new: each of these comes again only when its last time is forgotten.
  const { verifier } = await createPoolgateParts(supply, { routes: 1, cacheEntries: FILLERS })
  for (const token of supply.fillers) toVerify(verifier)(toFreshText(token))
  return [
    toSignatureCheck(supply, count),
    toVerification(NAMES.cold, count, supply, toVerify(verifier), () =>
      verifier.stats().hits === 0 ? [] : ['a new token was found in the cache'],
    ),
    toVerification('aws-jwt-verify verifySync', count, supply, createAwsJwtVerify(supply)),
    toLaterVerification('jose jwtVerify', count, supply, createJose(supply)),
    ...(fastJwt
      ? [
          toVerification('fast-jwt, no cache', count, supply, fastJwt(false)),
          toVerification('fast-jwt, cache miss', count, supply, fastJwt(cacheEntries)),
        ]
      : []),
  ]
}

function toVerify(verifier: Verifier<Caller>): VerifyToken {
  return (token) => {
    const outcome = verifier.verify(token, WANTED)
    if (outcome instanceof Promise || isRejected(outcome)) return 0
    return outcome.principal.subject.length
  }
}

/** `problems` are what else has to hold, before the timing and after it. */
function toVerification(
  name: string,
  count: number,
  supply: TokenSupply,
  verify: VerifyToken,
  problems: () => string[] = () => [],
): Operation {
  const once = (token: Buffer) => verify(toFreshText(token))
  return toOperation(name, count, supply.tokens, once, async () => [
    ...(await checkVerdicts(supply, verify)),
    ...problems(),
  ])
}

function toLaterVerification(
  name: string,
  count: number,
  supply: TokenSupply,
  verify: VerifyTokenLater,
): Operation {
  let next = 0
  const run = async () => {
    let sum = 0
    for (let done = 0; done < count; done++) {
      const result = await verify(toFreshText(supply.tokens[next] as Buffer))
      if (result === 0) throw new Error(`${name}: a good token was refused while timing`)
      sum += result
      next = (next + 1) % supply.tokens.length
    }
    return sum
  }
  return { name, count, prepare: () => run, check: () => checkVerdicts(supply, verify) }
}

async function checkVerdicts(
  { spare, bad }: TokenSupply,
  verify: VerifyToken | VerifyTokenLater,
): Promise<string[]> {
  const accepts = async (token: Buffer) => {
    try {
      return (await verify(toFreshText(token))) > 0
    } catch {
      return false
    }
  }
  const problems = (await accepts(spare)) ? [] : ['a good token is refused']
  for (const token of bad) if (await accepts(token)) problems.push('a bad token is accepted')
  return problems
}

/** The least that a verification can cost in Node: everything is decoded beforehand. */
function toSignatureCheck(supply: TokenSupply, count: number): Operation {
  const toParts = (token: Buffer) => {
    const end = token.lastIndexOf('.')
    const signature = Buffer.from(toFreshText(token.subarray(end + 1)), 'base64url')
    return { signed: token.subarray(0, end), signature }
  }
  const isSigned = ({ signed, signature }: ReturnType<typeof toParts>) =>
    verifySignature('sha256', signed, supply.publicKey, signature) ? 1 : 0
  return toOperation(NAMES.signature, count, supply.tokens.map(toParts), isSigned, () => {
    const [payloadChanged, signatureChanged] = supply.bad
    const bad = [payloadChanged, signatureChanged].map((token) => toParts(token as Buffer))
    if (isSigned(toParts(supply.spare)) === 0) return ['a good signature is refused']
    return bad.some(isSigned) ? ['a bad signature is accepted'] : []
  })
}
