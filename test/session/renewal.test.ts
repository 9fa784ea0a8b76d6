// One renewal at a time for all who share a shelf: who waits for it, who does not, and what becomes of it when the shelf fails.
import t from 'tap'
import { createBackoff } from '../../src/base/backoff.ts'
import { createRenewal, isNewer, type Live, type Refreshed } from '../../src/session/renewal.ts'
import type { Session } from '../../src/session/session.ts'
import { type Shelf, ShelfError } from '../../src/session/shelf.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createSession } from '../support/sessions.ts'

const HOUR_MS = 3_600_000

/** A shelf that is shared with somebody else, whom the test plays. */
function createBench() {
  const clock = createFakeClock()
  const stored = createSession(clock.now())
  const bench = {
    clock,
    stored: stored as Session | undefined,
    isLocked: false,
    isFailing: false,
    refreshes: 0,
    answer: (): Refreshed | Promise<Refreshed> => ({
      kind: 'refreshed',
      tokens: { access: 'new', refresh: 'next' },
      tokensEndMs: clock.now() + 2 * HOUR_MS,
    }),
    live: {
      session: stored,
      text: 'text',
      askedMs: 0,
      usedMs: 0,
      retryMs: 0,
      backoff: createBackoff(() => 0),
    } as Live,
  }
  const shelf: Shelf = {
    add: async () => 'text',
    async put(session, text) {
      if (bench.isFailing) throw new ShelfError('down')
      if (bench.stored !== undefined) bench.stored = session
      return bench.stored === undefined ? undefined : text
    },
    get: async () => bench.stored,
    async drop() {
      bench.stored = undefined
    },
    claim: async () => true,
    async lock() {
      if (bench.isLocked) return undefined
      bench.isLocked = true
      return async () => {
        bench.isLocked = false
      }
    },
    believedMs: 5_000,
    isInCookie: false,
    close: async () => undefined,
  }
  const renewal = createRenewal({
    clock,
    shelf,
    async refresh() {
      bench.refreshes++
      return bench.answer()
    },
    lifeOf: () => HOUR_MS,
    forget(live, why) {
      live.ended = why
    },
    kept: () => undefined,
  })
  return { bench, renewal }
}

t.test('whoever waits for another takes the new tokens that it brings', async (t) => {
  const { bench, renewal } = createBench()
  bench.isLocked = true
  const renewed = renewal.renew(bench.live)
  await bench.clock.advance(300)
  bench.stored = { ...createSession(bench.clock.now()), tokens: { access: 'of another' } }
  bench.isLocked = false
  await bench.clock.advance(100)
  await renewed
  t.equal(bench.live.session.tokens.access, 'of another')
  t.equal(bench.refreshes, 0)
})

t.test('it goes on at once when the other one has brought none', async (t) => {
  const { bench, renewal } = createBench()
  bench.isLocked = true
  const renewed = renewal.renew(bench.live)
  await bench.clock.advance(200)
  bench.isLocked = false
  await bench.clock.advance(100)
  await renewed
  t.equal(bench.live.session.tokens.access, 'new')
  t.equal(bench.refreshes, 1)
})

t.test('it waits for five seconds, and is put off then', async (t) => {
  const { bench, renewal } = createBench()
  bench.isLocked = true
  let isOver = false
  const renewed = renewal.renew(bench.live).then(() => (isOver = true))
  await bench.clock.advance(0)
  await bench.clock.advance(4_999)
  t.equal(isOver, false)
  await bench.clock.advance(1)
  await renewed
  t.equal(bench.live.retryMs, 5_000 + 250)
  t.equal(bench.refreshes, 0)
})

t.test('what is signed out elsewhere meanwhile is not refreshed', async (t) => {
  const { bench, renewal } = createBench()
  bench.isLocked = true
  const renewed = renewal.renew(bench.live)
  bench.stored = undefined
  bench.isLocked = false
  await bench.clock.advance(100)
  await renewed
  t.equal(bench.live.ended, 'signed out elsewhere')
  t.equal(bench.refreshes, 0)
})

t.test(
  'new tokens that the shelf does not take are used all the same, and offered again',
  async (t) => {
    const { bench, renewal } = createBench()
    bench.answer = () => {
      bench.isFailing = true
      return { kind: 'refreshed', tokens: { access: 'new' }, tokensEndMs: Number.MAX_SAFE_INTEGER }
    }
    await renewal.renew(bench.live)
    t.match(bench.live, { session: { tokens: { access: 'new' } }, isOwed: true })
    bench.isFailing = false
    bench.stored = { ...createSession(bench.clock.now()), seenMs: bench.clock.now() + 1 }
    await renewal.touch(bench.live)
    t.match(bench.stored, { tokens: { access: 'new' } }, 'nor does an older one take their place')
    t.equal(bench.live.isOwed, false)
    t.equal(bench.refreshes, 1)
  },
)

t.test('that it was used is put down by nobody while somebody renews it', async (t) => {
  const { bench, renewal } = createBench()
  let finish = (_: Refreshed) => {}
  bench.answer = () => new Promise((resolve) => (finish = resolve))
  const renewed = renewal.renew(bench.live)
  t.equal(renewal.touch(bench.live), undefined)
  t.equal(renewal.renew(bench.live), renewed, 'it is the same for all who wait')
  await bench.clock.advance(1)
  finish({ kind: 'failed', detail: '500' })
  await renewed
  bench.isLocked = true
  await renewal.touch(bench.live)
  t.equal(bench.stored?.seenMs, bench.live.session.seenMs, 'nor while another one has it')
})

t.test('of two the one with later tokens is newer, then the one used later', async (t) => {
  const session = createSession(0)
  const later = { ...session, tokensEndMs: session.tokensEndMs + 1 }
  const used = { ...session, seenMs: session.seenMs + 1 }
  t.ok(isNewer(later, used) && isNewer(used, session) && isNewer(later, session))
  t.notOk(isNewer(used, later) || isNewer(session, used) || isNewer(session, session))
})
