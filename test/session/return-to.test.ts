// After signing in nobody is taken to a place that is not ours, however it is written.
import t from 'tap'
import { type OwnPlaces, toOwnReturnTo, toReturnTo } from '../../src/session/return-to.ts'
import { loadCorpus } from '../support/corpora.ts'
import { toFacts } from '../support/sign-in-stage.ts'

const ORIGIN = 'https://app.example.com'
const places: OwnPlaces = {
  origin: ORIGIN,
  origins: [ORIGIN, 'https://shop.example.com', 'http://localhost:8080'],
  pathPrefix: '/_poolgate',
}
const ROOT = `${ORIGIN}/`

const judge = (asked: string | undefined) => toReturnTo(asked, places)

t.test('a path stays on the present origin', async (t) => {
  t.equal(judge('/'), ROOT)
  t.equal(judge('/orders/7?page=2&q=a%20b#top'), `${ORIGIN}/orders/7?page=2&q=a%20b#top`)
  t.equal(judge('/caf%C3%A9'), `${ORIGIN}/caf%C3%A9`)
  t.equal(judge('/café'), `${ORIGIN}/caf%C3%A9`, 'written again by URL')
  t.equal(
    judge('/a?next=https%3A%2F%2Fevil.example'),
    `${ORIGIN}/a?next=https%3A%2F%2Fevil.example`,
  )
})

t.test('a URL may be of any configured origin, as it is configured', async (t) => {
  t.equal(judge('https://shop.example.com/cart'), 'https://shop.example.com/cart')
  t.equal(judge('https://shop.example.com'), 'https://shop.example.com/')
  t.equal(judge('http://localhost:8080/a'), 'http://localhost:8080/a')
  for (const url of [
    'http://shop.example.com/cart',
    'https://shop.example.com:444/cart',
    'https://shop.example.com.evil.example/',
    'https://shop.example.com@evil.example/',
    'https://user@shop.example.com/',
    'https://evil.example/https://shop.example.com/',
    'HTTPS://shop.example.com/cart',
    'http://localhost:80801/a',
  ]) {
    t.equal(judge(url), ROOT, url)
  }
})

t.test('nothing asked for, or nothing that can be read: the root', async (t) => {
  for (const asked of [
    undefined,
    '',
    ' ',
    'orders',
    '?a',
    '#a',
    'about:blank',
    'data:text/html,x',
  ]) {
    t.equal(judge(asked), ROOT, String(asked))
  }
})

t.test('what some browser reads in another way is refused', async (t) => {
  for (const asked of [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    '/a\r\nSet-Cookie: x=1',
    '/a\0',
    '/\u00a0/evil.example',
    '/\u200b/evil.example',
    '/\ufeff/evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:\\\\evil.example',
    '%2f%2fevil.example',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    '/%252f%252fevil.example',
    '/%255cevil.example',
    '/%09/evil.example',
    '/%2509/evil.example',
    '/..//evil.example',
    '/./\\evil.example',
    '/a/..%2f..%2fb',
    '/a?next=//evil.example',
    '/%zz',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
  ]) {
    t.equal(judge(asked), ROOT, JSON.stringify(asked))
  }
})

t.test('dot segments are resolved before anybody else does it', async (t) => {
  t.equal(judge('/a/../b'), `${ORIGIN}/b`)
  t.equal(judge('/%2e%2e/%2E/b'), `${ORIGIN}/b`)
  t.equal(judge('/a/../_poolgate/sign-in'), ROOT)
})

t.test('our own paths would go round in a circle', async (t) => {
  for (const path of ['', '/', '/sign-in', '/sign-out', '/callback?code=1', '#a', '?a']) {
    t.equal(judge(`/_poolgate${path}`), ROOT, path)
    t.equal(judge(`https://shop.example.com/_poolgate${path}`), ROOT)
  }
  t.equal(judge('/%5Fpoolgate/sign-in'), ROOT)
  t.equal(judge('/_POOLGATE/sign-in'), ROOT)
  t.equal(judge('/_poolgates'), `${ORIGIN}/_poolgates`)
})

t.test('2048 characters are kept and one more is not', async (t) => {
  const path = `/${'a'.repeat(2047)}`
  t.equal(judge(path), `${ORIGIN}${path}`)
  t.equal(judge(`${path}a`), ROOT)
})

t.test('the page of the request itself is taken as it was written', async (t) => {
  const own = (target: string) => toOwnReturnTo(toFacts(target), ORIGIN)
  t.equal(
    own('/orders?next=//evil.example&u=https://a'),
    `${ORIGIN}/orders?next=//evil.example&u=https://a`,
  )
  t.equal(own(`/?${'a'.repeat(2048 - ORIGIN.length - 2)}`).length, 2048)
  t.equal(own(`/?${'a'.repeat(2048 - ORIGIN.length - 1)}`), ROOT)
})

interface Corpus {
  readonly must_reject: readonly string[]
  readonly table: readonly { name: string; redirect: string; allowed: boolean }[]
}

t.test('B-01: oauth2-proxy’s 559 payloads are refused, as they stand and unescaped', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'oauth2proxy_open_redirects')
  if (corpus === undefined) return
  t.equal(corpus.must_reject.length, 559)
  const unescaped = (payload: string) =>
    new URLSearchParams(`a=${payload.replaceAll('&', '%26')}`).get('a') ?? ''
  const taken = corpus.must_reject.filter(
    (one) => judge(one) !== ROOT || judge(unescaped(one)) !== ROOT,
  )
  t.same(taken, [])
})

t.test(
  'B-01: oauth2-proxy’s 57 decisions are the same where the origin is configured',
  async (t) => {
    const corpus = loadCorpus<Corpus>(t, 'oauth2proxy_open_redirects')
    if (corpus === undefined) return
    t.equal(corpus.table.length, 57)
    for (const { name, redirect, allowed } of corpus.table) {
      const isUrl = /^https?:/.test(redirect)
      t.equal(judge(redirect), allowed && !isUrl ? `${ORIGIN}${redirect}` : ROOT, name)
      if (!allowed || !isUrl) continue
      const origins = [new URL(redirect).origin]
      t.equal(toReturnTo(redirect, { ...places, origins }), redirect, name)
    }
  },
)
