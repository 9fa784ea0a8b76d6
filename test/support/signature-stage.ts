// The verifier up to and with the signature, for vectors whose payloads are no claims.
import { parseJws } from '../../src/token/jws.ts'
import { parseKeySet } from '../../src/token/key-set.ts'
import { createVerifier, isRejected } from '../../src/token/verifier.ts'
import { createFakeClock } from './fake-clock.ts'
import { ANY } from './test-verifier.ts'

/** Reasons that can only be given once the signature has been found good: the payload is read after it. */
const AFTER_SIGNATURE = ['token_malformed', 'token_issuer']

/** Whether the token is signed by one of the keys of this jwks document; its payload does not matter. */
export async function passesSignature(token: string, jwks: unknown): Promise<boolean> {
  const keys = await parseKeySet(jwks)
  if (typeof keys === 'string' || isRejected(parseJws(token))) return false
  const verifier = createVerifier({
    clock: createFakeClock(),
    pools: [
      {
        settings: {
          name: 'main',
          issuers: ['https://nobody.example'],
          clientIds: 'any',
          resources: undefined,
          clockToleranceMs: 0,
        },
        keys: {
          find: (kid) => keys.get(kid),
          usable: () => false,
          failing: () => false,
          refreshNow: () => undefined,
          retryAfterSeconds: () => 1,
        },
      },
    ],
    cache: { entries: 1, bytes: 1024 * 1024, ttlMs: 1 },
    toPrincipal: (verified) => verified,
  })
  const outcome = await verifier.verify(token, ANY)
  if (!isRejected(outcome)) throw new Error('a vector was accepted as a token of nobody')
  return AFTER_SIGNATURE.includes(outcome.reason)
}
