// What holds of cookies behind every ingress: Poolgate's own never arrive at a service, which could use them at another; the rest does.
import type { Test } from 'tap'
import { ask, valuesOf } from './ingress-client.ts'
import type { RunningRecipe } from './recipe.ts'

/** Lines of Cookie fields → what arrives of them. */
const COOKIES: readonly [lines: readonly string[], arriving: string][] = [
  [[], ''],
  [['a=b'], 'a=b'],
  [['a="b,c";c=;  d; __Host-e=%3B'], 'a="b,c";c=;  d; __Host-e=%3B'],
  [['a=b', 'c=d'], 'a=b; c=d'],
  [['__Host-poolgate-web=1.x'], ''],
  [['__Host-poolgate-web=1.x; a=b'], 'a=b'],
  [['a=b; __Host-poolgate-web=1.x; __Host-poolgate-web.1=y; c=d'], 'a=b; c=d'],
  [['a=b;__Host-poolgate-attempt-1=x;c=d; __Host-poolgate-other=x'], 'a=b;c=d'],
]

/** No browser sends several. Envoy over HTTP shows them as one with commas: what is joined to a cookie of ours may go with it. */
const SEVERAL: readonly (readonly string[])[] = [
  ['a=b', '__Host-poolgate-web=1.x'],
  ['__Host-poolgate-web=1.x', 'a=b'],
  ['a=b; __Host-poolgate-web=1.x', '__Host-poolgate-web.1=y', 'c=d'],
]

/** @param tokens one for each target; undefined: nobody has to be known there */
export async function tryCookies(
  t: Test,
  running: RunningRecipe,
  tokens: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  for (const [target, token] of Object.entries(tokens)) {
    for (const [lines, arriving] of [...COOKIES, ...SEVERAL.map((lines) => [lines] as const)]) {
      const about = `${target} ${lines.join(' + ')}`
      const fields = lines.map((line) => `Cookie: ${line}`)
      const { status, arrived } = await ask(running, { target, token, fields })
      t.equal(status, 200, about)
      t.equal(arrived.length, 1, about)
      const got = valuesOf(arrived[0], 'cookie').filter((value) => value !== '')
      if (arriving !== undefined) t.equal(got.join('; '), arriving, about)
      t.notMatch(arrived[0]?.headers.join('\n'), /__Host-poolgate-/, about)
    }
  }
}
