// Requests that go round: told by the gateway's own name, and by no other.
import t from 'tap'
import { createLoopGuard } from '../../src/proxy/loop-guard.ts'

const guard = createLoopGuard(() => 0.5)

t.test('a request may come through once more, and not again', async (t) => {
  const { via } = guard
  t.equal(guard.isLooping([]), false)
  t.equal(guard.isLooping(['Via', via]), false)
  t.equal(guard.isLooping(['Via', via, 'via', `1.0 fred, ${via}`]), true)
  t.equal(guard.isLooping(['Via', `${via}, 2 nginx, ${via}`]), true)
})

t.test('other gateways have other names', async (t) => {
  const other = createLoopGuard(() => 0.25).via
  t.not(other, guard.via)
  t.equal(guard.isLooping(['Via', `${other}, ${other}, ${other}`]), false)
  t.equal(guard.isLooping(['X-Via', `${guard.via}, ${guard.via}`]), false)
})
