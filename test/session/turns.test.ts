// Sign-ins that are asked for again and again within a minute are seen to be a circle.
import t from 'tap'
import { countTurn, isGoingRound, NO_TURNS } from '../../src/session/turns.ts'

const NOW = 1_795_435_200_000

const withCookie = (line: string) => ['Cookie', line.slice(0, line.indexOf(';'))]

t.test('three within a minute are a circle, and two are not', async (t) => {
  let headers: string[] = []
  for (const [turn, expected] of [
    [1, false],
    [2, false],
    [3, true],
    [4, true],
  ] as const) {
    headers = withCookie(countTurn(headers, NOW + turn))
    t.equal(isGoingRound(headers, NOW + turn, false), expected, `${turn}`)
  }
  t.equal(isGoingRound(headers, NOW + 2 + 59_999, false), true)
  t.equal(
    isGoingRound(headers, NOW + 2 + 60_000, false),
    false,
    'the second of the four is a minute old',
  )
})

t.test('with a session they are six: routes may ask for stronger ones', async (t) => {
  const after = (turns: number) => [
    'Cookie',
    `__Host-poolgate-turns=${Array(turns).fill(NOW).join('.')}`,
  ]
  t.notOk(isGoingRound(after(5), NOW, true))
  t.ok(isGoingRound(after(6), NOW, true))
})

t.test('the cookie goes by itself, and can be taken away', async (t) => {
  t.equal(
    countTurn([], NOW),
    `__Host-poolgate-turns=${NOW}; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax`,
  )
  t.match(NO_TURNS, /^__Host-poolgate-turns=; Max-Age=0;/)
})

t.test('what is no such cookie counts for nothing', async (t) => {
  for (const value of [
    '',
    '...',
    'a.b.c',
    `${NOW + 1}.${NOW + 2}.${NOW + 3}`,
    'NaN.Infinity.-1',
    '1.2.3',
  ]) {
    t.notOk(isGoingRound(['Cookie', `__Host-poolgate-turns=${value}`], NOW, false), value)
  }
  const turns = [NOW, NOW, NOW].join('.')
  t.notOk(isGoingRound(['Cookie', `__Host-poolgate-turns-x=${turns}`], NOW, false))
  t.equal(
    countTurn(['Cookie', `__Host-poolgate-turns=${'1.'.repeat(500)}`], NOW),
    countTurn([], NOW),
  )
})
