// Confirmation codes: each for one user and one purpose, used once, for a while, and not to be guessed.
import t from 'tap'
import { createConfirmationCodes } from '../../src/dev-pool/confirmation-codes.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const HOUR_MS = 3_600_000
const wrong = (code: string) => (code === '000000' ? '000001' : '000000')

t.test('a code has six digits, is told, and is right once', async (t) => {
  const told: unknown[] = []
  const codes = createConfirmationCodes(createFakeClock(), (...all) => told.push(all))
  const code = codes.issue('jane', 'sign-up')
  t.match(code, /^\d{6}$/)
  t.same(told, [['jane', `Your confirmation code is ${code}`]])
  t.equal(codes.use('jane', 'sign-up', code), undefined)
  t.match(codes.use('jane', 'sign-up', code), { type: 'ExpiredCodeException' })
})

t.test('a code is for its user and its purpose', async (t) => {
  const codes = createConfirmationCodes(createFakeClock())
  const code = codes.issue('jane', 'sign-up')
  t.match(codes.use('joan', 'sign-up', code), { type: 'ExpiredCodeException' })
  t.match(codes.use('jane', 'password', code), { type: 'ExpiredCodeException' })
  t.equal(codes.use('jane', 'sign-up', code), undefined)
})

t.test('a code lives for a day, one for a forgotten password for an hour', async (t) => {
  for (const [purpose, lifeMs] of [
    ['sign-up', 24 * HOUR_MS],
    ['password', HOUR_MS],
    ['email', 24 * HOUR_MS],
  ] as const) {
    const clock = createFakeClock()
    const codes = createConfirmationCodes(clock)
    const [early, late] = [codes.issue('early', purpose), codes.issue('late', purpose)]
    clock.stepWall(lifeMs - 1)
    t.equal(codes.use('early', purpose, early), undefined)
    clock.stepWall(1)
    t.equal(codes.latest('late'), undefined)
    t.match(codes.use('late', purpose, late), { type: 'ExpiredCodeException' })
  }
})

t.test('after five wrong codes the right one counts no more, until there is another', async (t) => {
  const codes = createConfirmationCodes(createFakeClock())
  const try4 = (code: string) => {
    for (let count = 0; count < 4; count += 1) {
      t.match(codes.use('jane', 'sign-up', wrong(code)), { type: 'CodeMismatchException' })
    }
  }
  const first = codes.issue('jane', 'sign-up')
  try4(first)
  t.equal(codes.use('jane', 'sign-up', first), undefined)
  const second = codes.issue('jane', 'sign-up')
  try4(second)
  t.match(codes.use('jane', 'sign-up', wrong(second)), { type: 'CodeMismatchException' })
  t.match(codes.use('jane', 'sign-up', second), { type: 'LimitExceededException' })
  t.equal(codes.use('jane', 'sign-up', codes.issue('jane', 'sign-up')), undefined)
})

t.test('the codes of whoever is deleted are void, and no others', async (t) => {
  const codes = createConfirmationCodes(createFakeClock())
  const [jane, joan] = [codes.issue('jane', 'password'), codes.issue('joan', 'password')]
  codes.forget('jane')
  t.match(codes.use('jane', 'password', jane), { type: 'ExpiredCodeException' })
  t.equal(codes.use('joan', 'password', joan), undefined)
})

t.test('a new code ends the former, and the latest is shown', async (t) => {
  const codes = createConfirmationCodes(createFakeClock())
  t.equal(codes.latest('jane'), undefined)
  const former = codes.issue('jane', 'sign-up')
  let next = codes.issue('jane', 'sign-up')
  while (next === former) next = codes.issue('jane', 'sign-up')
  t.match(codes.use('jane', 'sign-up', former), { type: 'CodeMismatchException' })
  const forPassword = codes.issue('jane', 'password')
  t.equal(codes.latest('jane'), forPassword)
  t.equal(codes.use('jane', 'password', forPassword), undefined)
  t.equal(codes.latest('jane'), next)
  t.equal(codes.latest('joan'), undefined)
})
