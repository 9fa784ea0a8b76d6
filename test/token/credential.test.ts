// Which Authorization values hold a bearer token, and which are refused before a token is looked at.
import t from 'tap'
import { parseCredential } from '../../src/token/credential.ts'

const reasonOf = (value: string | undefined) => {
  const credential = parseCredential(value)
  return typeof credential === 'string' ? credential : credential.reason
}

t.test('the token of a Bearer value is what follows the one space', async (t) => {
  t.equal(reasonOf('Bearer aaa.bbb.ccc'), 'aaa.bbb.ccc')
})

t.test('the case of the scheme does not matter', async (t) => {
  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) t.equal(reasonOf(`${scheme} abc`), 'abc')
})

t.test('without the field the credential is missing', async (t) => {
  t.equal(reasonOf(undefined), 'credential_missing')
})

t.test('another scheme, no token and a wrong space are malformed', async (t) => {
  const values = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer\tabc',
    'Bearerabc',
    ' Bearer abc',
    'Basic YTpi',
    'abc',
  ]
  for (const value of values)
    t.equal(reasonOf(value), 'credential_malformed', JSON.stringify(value))
})

t.test('more than one token is malformed', async (t) => {
  const values = [
    'Bearer  abc',
    'Bearer abc ',
    'Bearer abc def',
    'Bearer abc,def',
    'Bearer abc\tdef',
  ]
  for (const value of values)
    t.equal(reasonOf(value), 'credential_malformed', JSON.stringify(value))
})
