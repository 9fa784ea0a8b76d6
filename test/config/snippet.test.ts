// Snippets point at the place, whatever the line holds.
import t from 'tap'
import { toSnippet } from '../../src/config/snippet.ts'

t.test('the line is shown with carets under the place', async (t) => {
  t.equal(
    toSnippet('a: 1\n    timeout: 5 sec\n', 2, 14, 5),
    '    2 |     timeout: 5 sec\n      |              ^^^^^',
  )
})

t.test('carets end with the line, and there is always one', async (t) => {
  t.equal(toSnippet('key: |\n  text\n', 1, 6, 99), '    1 | key: |\n      |      ^')
  t.equal(toSnippet('key:', 1, 5, 0), '    1 | key:\n      |     ^')
  t.equal(toSnippet('', 1, 1, 0), '    1 | \n      | ^')
})

t.test('a long line is cut around the place', async (t) => {
  const snippet = toSnippet(`${'a'.repeat(500)}HERE${'b'.repeat(500)}`, 1, 501, 4)
  const [line = '', carets = ''] = snippet.split('\n')
  t.ok(line.length < 130)
  t.equal(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), 'HERE')
})

t.test('what a terminal would obey is not shown', async (t) => {
  t.equal(toSnippet('a: \u001b[31mred\r', 1, 1, 1), '    1 | a:  [31mred\n      | ^')
})
