// "Did you mean" names what was meant, and says nothing where nothing is near.
import t from 'tap'
import { didYouMean, suggest } from '../../src/config/suggest.ts'

const KEYS = ['timeouts', 'targets', 'connections', 'queue', 'keepAlive']

t.test('one slip of the hand still finds the name', async (t) => {
  for (const [typed, name] of [
    ['timeout', 'timeouts'],
    ['tiemouts', 'timeouts'],
    ['targest', 'targets'],
    ['keepalive', 'keepAlive'],
    ['conections', 'connections'],
    ['quue', 'queue'],
  ] as const) {
    t.equal(suggest(typed, KEYS), name, typed)
  }
})

t.test('what is far from every name suggests nothing', async (t) => {
  for (const typed of ['', 'x', 'retries', 'color']) t.equal(suggest(typed, KEYS), undefined, typed)
})

t.test('the nearest of several wins', async (t) => {
  t.equal(suggest('order', ['orders-old', 'border', 'orders']), 'border')
  t.equal(suggest('orderz', ['orders-old', 'orders']), 'orders')
})

t.test('the hint is a clause, or nothing', async (t) => {
  t.equal(didYouMean('timeout', KEYS), '; did you mean "timeouts"?')
  t.equal(didYouMean('retries', KEYS), '')
})
