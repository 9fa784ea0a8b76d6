// Certificate files of the listeners: each thing that can be wrong, at the setting that names the file.
import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { findFileProblems } from '../../src/config/find-file-problems.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'
import { createSelfSigned } from '../support/self-signed.ts'

function problemsOf(cert: string, key: string, listener = 'listen') {
  const top = `${listener}: {address: '127.0.0.1:1', tls: {cert: ${cert}, key: ${key}}}`
  return findFileProblems(loadConfig(createConfigText({ top }), 'c.yaml', {})).map(
    ({ file, line, column, path, message }) => `${file}:${line}:${column}: ${path}: ${message}`,
  )
}

function writePair(t: Test) {
  const own = createSelfSigned()
  const other = createSelfSigned()
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const files = {
    cert: own.cert,
    key: own.key,
    other: other.key,
    locked: privateKey,
    text: 'no PEM',
  }
  return t.testdir(files)
}

t.test('a pair that fits is fine, and so is plain HTTP', async (t) => {
  const at = writePair(t)
  t.strictSame(problemsOf(`${at}/cert`, `${at}/key`), [])
  t.strictSame(problemsOf(`${at}/cert`, `${at}/key`, 'admin'), [])
  for (const top of ['', 'admin: none', 'listen: unix:/x']) {
    t.strictSame(findFileProblems(loadConfig(createConfigText({ top }), 'c.yaml', {})), [])
  }
})

t.test('files that are not there are named by their settings, both at once', async (t) => {
  const at = writePair(t)
  for (const listener of ['listen', 'admin']) {
    t.match(problemsOf('/nonexistent/c', '/nonexistent/k', listener), [
      new RegExp(
        `^c\\.yaml:2:\\d+: ${listener}\\.tls\\.cert: the file cannot be read \\(ENOENT\\)$`,
      ),
      new RegExp(
        `^c\\.yaml:2:\\d+: ${listener}\\.tls\\.key: the file cannot be read \\(ENOENT\\)$`,
      ),
    ])
  }
  t.match(problemsOf(`${at}/cert`, at), [/: listen\.tls\.key: the file cannot be read \(EISDIR\)$/])
})

t.test('files that hold something else, or do not belong together', async (t) => {
  const at = writePair(t)
  for (const [cert, key, told] of [
    ['text', 'key', /listen\.tls\.cert: the file holds no PEM certificate \(\w+\)$/],
    ['key', 'key', /listen\.tls\.cert: the file holds no PEM certificate/],
    ['cert', 'text', /listen\.tls\.key: the file holds no PEM private key without a passphrase/],
    ['cert', 'locked', /listen\.tls\.key: the file holds no PEM private key without a passphrase/],
    ['cert', 'other', /listen\.tls\.key: is not the key of the certificate/],
  ] as const) {
    t.match(problemsOf(`${at}/${cert}`, `${at}/${key}`), [told], `${cert} and ${key}`)
  }
})

t.test('files of an upstream’s TLS are seen too', async (t) => {
  const at = writePair(t)
  const problemsWith = (tls: string) => {
    const text = createConfigText({
      upstreams: `upstreams: {orders: {targets: ['https://a.test'], tls: ${tls}}}`,
    })
    return findFileProblems(loadConfig(text, 'c.yaml', {})).map(
      ({ path, message }) => `${path}: ${message}`,
    )
  }
  t.strictSame(problemsWith(`{ca: ${at}/cert, cert: ${at}/cert, key: ${at}/key}`), [])
  t.strictSame(problemsWith('{serverName: b.test}'), [])
  t.match(problemsWith(`{ca: ${at}/text, cert: ${at}/cert, key: ${at}/other}`), [
    /tls\.ca: the file holds no PEM certificate/,
    /tls\.key: is not the key of the certificate/,
  ])
  t.match(problemsWith('{ca: /nonexistent/c}'), [/tls\.ca: the file cannot be read \(ENOENT\)/])
})
