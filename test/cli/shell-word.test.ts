// Words that a real shell reads back as they were.
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { toShellWord } from '../../src/cli/shell-word.ts'

t.test('whatever the text, the shell reads it back as one word', async (t) => {
  for (const text of [
    'plain',
    '',
    ' ',
    `it's "$HOME" \`id\` $(id)`,
    'a&b;c|d>e',
    '*',
    '~',
    '#x',
    '!!',
    'a\nb',
    "''",
    '\\',
  ]) {
    const script = `printf '%s|' ${toShellWord(text)}`
    t.equal(execFileSync('sh', ['-c', script], { encoding: 'utf8' }), `${text}|`, script)
  }
})

t.test('plain words stay readable', async (t) => {
  t.equal(toShellWord('user=a%20b+c@d.e'), 'user=a%20b+c@d.e')
  t.equal(toShellWord('a&b'), "'a&b'")
})
