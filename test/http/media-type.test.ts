// Which responses are streams of events.
import t from 'tap'
import { isEventStream } from '../../src/http/media-type.ts'

t.test(
  'only text/event-stream is a stream of events, whatever its parameters and case',
  async (t) => {
    for (const type of [
      'text/event-stream',
      'Text/Event-Stream',
      'text/event-stream ;charset=utf-8',
    ])
      t.ok(isEventStream(['X', '1', 'content-type', type]), type)
    for (const type of [
      'text/event-streams',
      'text/plain',
      'x text/event-stream',
      'text/event',
      '',
    ])
      t.notOk(isEventStream(['Content-Type', type]), type)
    t.notOk(isEventStream(['X-Content-Type', 'text/event-stream']))
    t.notOk(isEventStream([]))
  },
)
