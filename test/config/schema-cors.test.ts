// What pages of other origins may do, as it is written.
import t from 'tap'
import { cors } from '../../src/config/schema-cors.ts'

t.test('origins are origins, and compared as browsers write them', async (t) => {
  for (const origin of ['https://app.example', 'http://localhost:3000', 'http://[::1]:81', '*'])
    t.ok(cors.safeParse({ origins: [origin] }).success, origin)
  const wrong = ['null', '', 'app.example',
    'https://app.example/x', 'https://*.example', 'https://u@app.example', 'https://app.example?x', '**'] // prettier-ignore
  for (const origin of wrong) t.notOk(cors.safeParse({ origins: [origin] }).success, origin)
  const given = ['https://App.example:443/', 'http://a:80']
  t.same(cors.parse({ origins: given })?.origins, ['https://app.example', 'http://a'])
  t.notOk(cors.safeParse({ origins: [] }).success)
  t.notOk(cors.safeParse({}).success)
})

t.test('what is left out has its default', async (t) => {
  t.same(cors.parse({ origins: ['*'] }), {
    origins: ['*'],
    headers: ['authorization', 'content-type'],
    credentials: false,
    maxAgeMs: 600_000,
  })
})

t.test('names, methods and times are held to their forms', async (t) => {
  const parse = (more: object) => cors.safeParse({ origins: ['*'], ...more }).success
  t.ok(parse({ methods: ['GET'], headers: ['x-a'], exposeHeaders: ['etag'], maxAge: '24h' }))
  for (const more of [
    { methods: ['get'] },
    { methods: [] },
    { headers: ['*'] },
    { headers: ['a b'] },
  ])
    t.notOk(parse(more), JSON.stringify(more))
  t.notOk(parse({ maxAge: '25h' }))
})
