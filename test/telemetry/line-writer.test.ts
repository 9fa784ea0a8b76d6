// Lines reach the descriptor in order and in large pieces; a descriptor that fails costs lines, never time or memory.
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createLineWriter } from '../../src/telemetry/line-writer.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createFifo } from '../support/fifo.ts'

function createFile(t: Test) {
  const path = join(t.testdir(), 'log')
  return { fd: openSync(path, 'a'), read: () => readFileSync(path, 'utf8') }
}

const LINE = `${'x'.repeat(1023)}\n`

t.test('a line waits for 250 ms and is then written', async (t) => {
  const fifo = createFifo(t)
  const clock = createFakeClock()
  const writer = createLineWriter(fifo.fd, clock)
  writer.put('one\n')
  await clock.advance(249)
  t.equal(clock.pending(), 1)
  await clock.advance(1)
  t.equal(await fifo.readUntil('one\n'), 'one\n')
  await writer.flush()
  writer.put('two\n')
  await clock.advance(250)
  t.equal(await fifo.readUntil('two\n'), 'one\ntwo\n')
})

t.test('64 KiB of lines wait for nothing', async (t) => {
  const fifo = createFifo(t)
  const writer = createLineWriter(fifo.fd, createFakeClock())
  for (let count = 0; count < 64; count++) writer.put(LINE)
  t.equal((await fifo.readUntil('\n')).length % 1024, 0)
})

t.test('an urgent line takes along those before it', async (t) => {
  const fifo = createFifo(t)
  const writer = createLineWriter(fifo.fd, createFakeClock())
  writer.put('first\n')
  writer.put('urgent\n', true)
  t.equal(await fifo.readUntil('urgent\n'), 'first\nurgent\n')
})

t.test('an idle writer has no timer', async (t) => {
  const { fd } = createFile(t)
  const clock = createFakeClock()
  const writer = createLineWriter(fd, clock)
  t.equal(clock.pending(), 0)
  writer.put('one\n')
  await clock.advance(250)
  await writer.flush()
  t.equal(clock.pending(), 0)
})

t.test('flush writes everything, in order, also lines put while it writes', async (t) => {
  const { fd, read } = createFile(t)
  const writer = createLineWriter(fd, createFakeClock())
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} é\n`)
  for (const line of lines.slice(0, 4000)) writer.put(line)
  const flushed = writer.flush()
  for (const line of lines.slice(4000)) writer.put(line)
  await flushed
  t.equal(read(), lines.join(''))
  t.equal(writer.dropped(), 0)
})

t.test('flush with nothing to write resolves at once', async (t) => {
  const { fd, read } = createFile(t)
  await createLineWriter(fd, createFakeClock()).flush()
  t.equal(read(), '')
})

t.test('a stuck reader: 4 Mi characters wait, the rest is dropped and counted', async (t) => {
  const fifo = createFifo(t)
  const writer = createLineWriter(fifo.fd, createFakeClock())
  for (let count = 0; count < 64; count++) writer.put(LINE)
  for (let count = 0; count < 4096; count++) writer.put(LINE)
  t.equal(writer.dropped(), 0)
  writer.put('!\n')
  writer.put('?\n')
  t.equal(writer.dropped(), 2)
  const read = fifo.readUntil('the end\n')
  await writer.flush()
  writer.put('the end\n', true)
  t.equal((await read).length, (64 + 4096) * 1024 + 'the end\n'.length, 'nothing else is lost')
  t.equal(writer.dropped(), 2)
})

t.test('a stuck reader holds flush up for two seconds and no longer', async (t) => {
  const fifo = createFifo(t)
  const clock = createFakeClock()
  const writer = createLineWriter(fifo.fd, clock)
  for (let count = 0; count < 128; count++) writer.put(LINE)
  let isDone = false
  const flushed = writer.flush().then(() => {
    isDone = true
  })
  await clock.advance(1999)
  t.notOk(isDone)
  await clock.advance(1)
  await flushed
  await fifo.readUntil('\n')
})

t.test(
  'a full disk: flush gives up, lines wait and are tried again, the bound holds',
  async (t) => {
    const clock = createFakeClock()
    const writer = createLineWriter(openSync('/dev/full', 'a'), clock)
    writer.put('lost\n')
    await writer.flush()
    t.equal(clock.pending(), 1, 'the next attempt is due')
    for (let count = 0; count < 6000; count++) writer.put(LINE)
    t.equal(writer.dropped(), 6000 - 4096)
    await writer.flush()
  },
)

t.test('a reader that has gone: everything is dropped, counted, and nothing throws', async (t) => {
  const fifo = createFifo(t)
  const clock = createFakeClock()
  const writer = createLineWriter(fifo.fd, clock)
  fifo.hangUp()
  await new Promise((resolve) => setImmediate(resolve))
  writer.put('one\n')
  writer.put('two\n')
  await writer.flush()
  t.equal(writer.dropped(), 2)
  writer.put('three\n')
  t.equal(writer.dropped(), 3)
  await writer.flush()
  await clock.advance(250)
  t.equal(clock.pending(), 0)
})
