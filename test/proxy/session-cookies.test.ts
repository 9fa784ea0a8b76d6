// Answers that set a session are kept by no cache, whoever makes them.
import t from 'tap'
import { compileHeaderEdits, editHeaders } from '../../src/http/header-edits.ts'
import { toDenialResponse, withFields } from '../../src/proxy/denial-response.ts'
import { withDenialCookies, withSessionCookies } from '../../src/proxy/session-cookies.ts'

t.test('without cookies nothing changes', async (t) => {
  const edits = compileHeaderEdits({ a: 'b' })
  const denial = toDenialResponse('credential_missing', 'id')
  for (const cookies of [undefined, []]) {
    t.equal(withSessionCookies(edits, cookies), edits)
    t.equal(withDenialCookies(denial, cookies), denial)
  }
})

t.test(
  "an upstream's answer keeps its fields, and what would let a cache have it goes",
  async (t) => {
    const edits = withSessionCookies(
      compileHeaderEdits({ 'cache-control': 'public', 'x-a': '1' }),
      ['s=1', 's.1=2'],
    )
    const head = [
      ...['CDN-Cache-Control', 'public', 'Surrogate-Control', 'max-age=9', 'X-Accel-Expires', '9'],
      ...['Cache-Control', 'max-age=60', 'Expires', 'x', 'Vary', 'Accept', 'Set-Cookie', 'own=1'],
    ]
    t.strictSame(edits && editHeaders(head, edits), [
      ...['Vary', 'Accept', 'Set-Cookie', 'own=1', 'x-a', '1'],
      ...[
        'cache-control',
        'no-store',
        'vary',
        'Cookie',
        'set-cookie',
        's=1',
        'set-cookie',
        's.1=2',
      ],
    ])
  },
)

t.test('a denial varies with the cookie beside what else it varies with', async (t) => {
  const denial = toDenialResponse('credential_missing', 'id')
  const { headers } = withDenialCookies(denial, ['s=1'])
  t.match(headers, { 'set-cookie': ['s=1'], vary: 'Cookie', 'cache-control': 'no-store' })
  const varied = withDenialCookies(withFields(denial, { vary: 'Origin' }), ['s=1'])
  t.equal(varied.headers.vary, 'Origin, Cookie')
})
