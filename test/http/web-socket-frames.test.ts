// Where frames end, however they are cut, and the Close frame.
import t from 'tap'
import { FrameReader, toCloseFrame } from '../../src/http/web-socket-frames.ts'
import { createSeeded } from '../support/seeded.ts'

const isMasked = 0x80

/** A frame with a header of its own kind for its length. */
function frame(opcode: number, size: number, mask = 0): Buffer {
  const short = size < 126 ? size : size < 65_536 ? 126 : 127
  const length = Buffer.alloc(short < 126 ? 0 : short === 126 ? 2 : 8)
  if (short === 126) length.writeUInt16BE(size)
  if (short === 127) length.writeBigUInt64BE(BigInt(size))
  const key = Buffer.alloc(mask === 0 ? 0 : 4, 7)
  return Buffer.concat([
    Buffer.from([0x80 | opcode, mask | short]),
    length,
    key,
    Buffer.alloc(size, 0x88),
  ])
}

t.test('a frame of every form ends where it ends', async (t) => {
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536]) {
    for (const mask of [0, isMasked]) {
      const whole = frame(2, size, mask)
      const reader = new FrameReader()
      t.ok(reader.isBetweenFrames)
      t.equal(reader.read(whole.subarray(0, -1)), -1)
      t.notOk(reader.isBetweenFrames, `${size} ${mask}`)
      t.equal(reader.read(whole.subarray(-1)), 1)
      t.ok(reader.isBetweenFrames)
      t.equal(new FrameReader().read(Buffer.concat([whole, whole])), whole.length, 'the first one')
    }
  }
})

t.test('however the bytes are cut, the ends are the same', async (t) => {
  const random = createSeeded(7)
  const frames = [frame(1, 0), frame(2, 300, isMasked), frame(9, 5), frame(2, 70_000), frame(0, 1)]
  const bytes = Buffer.concat(frames)
  const ends = new Set(frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length))
  for (let round = 0; round < 50; round++) {
    const reader = new FrameReader()
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + random.below(random.pick([3, 300, 40_000])))
      const first = reader.read(bytes.subarray(at, next))
      const expected = [...ends].find((end) => end > at && end <= next)
      if (first !== (expected === undefined ? -1 : expected - at)) t.fail(`${at}-${next}`)
      if (reader.isBetweenFrames !== ends.has(next)) t.fail(`between frames at ${next}`)
      at = next
    }
  }
  t.pass('all rounds')
})

t.test('a Close is known as soon as its header has come, and nothing else for one', async (t) => {
  const reader = new FrameReader()
  reader.read(frame(1, 200))
  t.notOk(reader.isClosed, 'the payload is not looked into')
  reader.read(frame(8, 2).subarray(0, 1))
  t.notOk(reader.isClosed)
  reader.read(frame(8, 2).subarray(1, 2))
  t.ok(reader.isClosed)
})

t.test('a Close frame has its code and reason, masked where a client says it', async (t) => {
  t.same(
    toCloseFrame(1008, 'bye', false),
    Buffer.from([0x88, 5, 0x03, 0xf0, ...Buffer.from('bye')]),
  )
  const masked = toCloseFrame(1001, '', true)
  t.same([...masked.subarray(0, 2)], [0x88, 0x82])
  const payload = [...masked.subarray(6)].map((byte, i) => byte ^ (masked[2 + i] as number))
  t.same(payload, [0x03, 0xe9])
  t.notSame(masked, toCloseFrame(1001, '', true), 'a fresh mask each time')
})
