// It says what it would say without a memory, and asks once for names that come again.
import t from 'tap'
import { rememberByName } from '../../src/http/name-memo.ts'
import { fc } from '../support/fuzz.ts'

t.test('it always says what was to be remembered', async () => {
  const remember = rememberByName((name) => `<${name}>`)
  const names = fc.array(fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'A', '-') }))
  fc.assert(fc.property(names, (all) => all.every((name) => remember(name) === `<${name}>`)))
})

t.test('names that come again are asked for once, whatever else comes', async (t) => {
  let asked = 0
  const remember = rememberByName((name) => {
    asked++
    return name.length
  })
  const usual = Array.from({ length: 20 }, (_, i) => `usual-${i}`)
  for (const name of usual) remember(name)
  const first = asked
  for (let round = 0; round < 100; round++) for (const name of usual) remember(name)
  t.equal(asked, first)
  for (let i = 0; i < 100_000; i++) remember(`junk-${i}`)
  for (const name of usual) t.equal(remember(name), name.length)
  const again = asked
  for (let round = 0; round < 100; round++) for (const name of usual) remember(name)
  t.equal(asked, again, 'and they are remembered again')
})

t.test('two names that hash alike are both remembered', async (t) => {
  const asked: string[] = []
  const remember = rememberByName((name) => asked.push(name))
  const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
  for (const name of [...names, ...names]) remember(name)
  t.ok(asked.length - 1 < 2 * names.length, 'most of them once')
  const before = asked.length
  for (let round = 0; round < 10; round++) for (const name of names) remember(name)
  t.equal(asked.length, before)
})

t.test('what is longer than 64 characters is not remembered', async (t) => {
  let asked = 0
  const remember = rememberByName(() => asked++)
  const before = asked
  for (const length of [64, 64, 65, 65]) remember('x'.repeat(length))
  t.equal(asked - before, 3)
})
