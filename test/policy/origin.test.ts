// Whose page may use a browser's cookie: own host or a named origin, and nothing that any other page could bring about.
import t from 'tap'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { isFromOwnOrigin, needsOrigin } from '../../src/policy/origin.ts'

function judge(headers: readonly string[], host = 'app.example.com', secure = false): boolean {
  const facts = { headers, host: parseHost(host), secure } as unknown as RequestFacts
  return isFromOwnOrigin(facts, ['https://partner.example'])
}

t.test('an origin of the same host and port is its own', async (t) => {
  t.ok(judge(['Origin', 'https://app.example.com']))
  t.ok(judge(['origin', 'http://APP.example.com:80']))
  t.ok(judge(['Origin', 'https://app.example.com'], 'app.example.com:443'))
  t.ok(judge(['Origin', 'http://app.example.com:8080'], 'App.example.com:8080'))
  t.ok(judge(['Origin', 'http://[::1]:3000'], '[::1]:3000'))
  t.ok(judge(['Origin', 'https://app.example.com'], 'app.example.com', true))
})

t.test('every other origin is foreign', async (t) => {
  for (const origin of [
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://evilapp.example.com',
    'https://app.example.com:8443',
    'http://app.example.com:443',
    'https://app.example.com@evil.example',
    'https://app.example.com/',
    'https://app.example.com https://evil.example',
    'ftp://app.example.com',
    'app.example.com',
    'null',
    '',
    'https://partner.example.com',
    'http://partner.example',
  ])
    t.notOk(judge(['Origin', origin]), origin)
  t.notOk(
    judge(['Origin', 'http://app.example.com'], 'app.example.com', true),
    'not from plain http',
  )
})

t.test('a named origin may, exactly as named', async (t) => {
  t.ok(judge(['Origin', 'https://partner.example']))
  t.notOk(judge(['Origin', 'https://Partner.example']))
})

t.test('a browser may say in Sec-Fetch-Site that no other page is behind it', async (t) => {
  t.ok(judge(['Sec-Fetch-Site', 'same-origin']))
  t.ok(judge(['sec-fetch-site', 'none', 'Origin', 'null']))
  for (const site of ['same-site', 'cross-site', 'Same-Origin', ''])
    t.notOk(judge(['Sec-Fetch-Site', site]), site)
  t.ok(judge(['Sec-Fetch-Site', 'cross-site', 'Origin', 'https://partner.example']))
})

t.test('without either, and with two, nobody knows', async (t) => {
  t.notOk(judge([]))
  t.notOk(judge(['Origin', 'https://app.example.com', 'origin', 'https://app.example.com']))
  t.notOk(judge(['Sec-Fetch-Site', 'same-origin', 'Sec-Fetch-Site', 'same-origin']))
})

t.test('only what changes nothing and opens nothing may do without', async (t) => {
  const needs = (method: string, isUpgrade = false) =>
    needsOrigin({ method } as RequestFacts, isUpgrade)
  for (const method of ['GET', 'HEAD', 'OPTIONS']) t.notOk(needs(method), method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'get'])
    t.ok(needs(method), method)
  t.ok(needs('GET', true))
})
