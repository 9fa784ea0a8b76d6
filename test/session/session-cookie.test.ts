// One value in as many cookies as browsers want, joined again only as it was cut (B-09, B-14).
import t from 'tap'
import {
  readCookieParts,
  toExpiredCookies,
  toSetCookies,
} from '../../src/session/session-cookie.ts'
import { CookieJar } from '../support/sessions.ts'

const NAME = '__Host-poolgate-web'

function set(text: string, earlier: readonly string[] = []): readonly string[] {
  const cookies = toSetCookies(NAME, text, 60_000, earlier)
  if (!Array.isArray(cookies)) throw new Error('too large')
  return cookies
}

/** What is read of these pairs, in one field each. */
function read(...fields: string[]) {
  return readCookieParts(
    fields.flatMap((field) => ['cookie', field]),
    NAME,
  )
}

t.test('every length is read back as it was written, up to what four cookies hold', async (t) => {
  const most = 4 * (3_800 - NAME.length - 3) - 2
  for (const length of [0, 1, 3_775, 3_776, 3_777, 7_600, 15_000, most]) {
    const text = 'x'.repeat(length)
    const jar = new CookieJar().take(set(text))
    t.equal(readCookieParts(jar.headers(), NAME)?.text, text, String(length))
    for (const [name, value] of jar.cookies) t.ok(name.length + 1 + value.length <= 3_800)
    t.ok(jar.cookies.size <= 4)
  }
  t.strictSame(toSetCookies(NAME, 'x'.repeat(most + 1), 1), { tooLarge: most + 1 })
})

t.test(
  'its attributes keep it from scripts, from other hosts and from plain HTTP (B-08)',
  async (t) => {
    t.strictSame(set('x'), [`${NAME}=1.x; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax`])
  },
)

t.test('parts of an earlier, longer value end', async (t) => {
  const jar = new CookieJar().take(set('x'.repeat(9_000)))
  t.equal(jar.cookies.size, 3)
  const { names = [] } = readCookieParts(jar.headers(), NAME) ?? {}
  t.strictSame([...jar.take(set('short', names)).cookies.keys()], [NAME])
  jar.take(set('x'.repeat(9_000)))
  t.equal(jar.take(toExpiredCookies(NAME, names)).cookies.size, 0)
})

t.test('a part that is left over of a longer value changes nothing', async (t) => {
  t.equal(read(`${NAME}=1.abc; ${NAME}.1=old`)?.text, 'abc')
})

t.test('what is missing, or there twice, makes it nothing', async (t) => {
  for (const fields of [
    [`${NAME}=2.a`],
    [`${NAME}.1=b`],
    [`${NAME}=3.a; ${NAME}.1=b`],
    [`${NAME}=1.a; ${NAME}=1.b`],
    [`${NAME}=1.a`, `${NAME}=1.a`],
    [`${NAME}=2.a; ${NAME}.1=b; ${NAME}.1=c`],
    [`${NAME}=5.a; ${NAME}.1=b; ${NAME}.2=c; ${NAME}.3=d; ${NAME}.4=e`],
    [`${NAME}=0.a`],
    [`${NAME}=a`],
    [`${NAME}=`],
  ]) {
    const parts = read(...fields)
    t.ok(parts, 'it is there')
    t.equal(parts?.text, undefined, fields.join(' | '))
  }
})

t.test('parts may come in any order, in several fields, among others', async (t) => {
  t.equal(read(`a=1; ${NAME}.1=b`, `x=y; ${NAME}=2.a;z`)?.text, 'ab')
})

t.test('other cookies are none of it', async (t) => {
  for (const field of [
    '',
    'a=b',
    `${NAME}2=1.a`,
    `x${NAME}=1.a`,
    `${NAME}.x=1.a`,
    `${NAME}.0=1.a`,
    `${NAME.toLowerCase()}=1.a`,
    NAME,
  ]) {
    t.equal(read(field), undefined, field)
  }
})
