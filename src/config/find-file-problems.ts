// Certificates and keys that a configuration names: there, readable, and fit for one another. Tells codes, never contents.
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { LoadedConfig } from './load.ts'
import type { ConfigPath, Problem } from './problem.ts'

/** What would keep the gateway from starting, at the settings that name the files. */
export function findFileProblems(loaded: LoadedConfig): readonly Problem[] {
  const { listen, admin, upstreams } = loaded.config
  return [
    ...checkPair(['listen', 'tls'], listen.tls, loaded),
    ...(admin === 'none' ? [] : checkPair(['admin', 'tls'], admin.tls, loaded)),
    ...Object.entries(upstreams).flatMap(([name, { tls = {} }]) =>
      checkUpstreamTls(['upstreams', name, 'tls'], tls, loaded),
    ),
  ]
}

interface Pair {
  readonly cert: string
  readonly key: string
}

function checkPair(
  path: ConfigPath,
  pair: Pair | undefined,
  { problemAt }: LoadedConfig,
): Problem[] {
  if (pair === undefined) return []
  const [cert, key] = [readPem(pair.cert, 'cert'), readPem(pair.key, 'key')]
  const problems = Object.entries({ cert, key }).flatMap(([name, { problem }]) =>
    problem === undefined ? [] : [problemAt([...path, name], problem)],
  )
  if (problems.length > 0) return problems
  const code = codeOfUse({ cert: cert.text, key: key.text })
  if (code === undefined) return []
  return [problemAt([...path, 'key'], `is not the key of the certificate (${code})`)]
}

function checkUpstreamTls(
  path: ConfigPath,
  { ca, cert, key }: Partial<Pair> & { readonly ca?: string },
  loaded: LoadedConfig,
): Problem[] {
  const pair = cert === undefined || key === undefined ? undefined : { cert, key }
  const problem = ca === undefined ? undefined : readPem(ca, 'ca').problem
  const ofCa = problem === undefined ? [] : [loaded.problemAt([...path, 'ca'], problem)]
  return [...ofCa, ...checkPair(path, pair, loaded)]
}

interface Pem {
  readonly text?: string
  readonly problem?: string
}

function readPem(path: string, use: 'ca' | 'cert' | 'key'): Pem {
  try {
    const text = readFileSync(path, 'utf8')
    // As an authority OpenSSL passes over what is no certificate.
    const code = codeOfUse(use === 'ca' ? { cert: text } : { [use]: text })
    if (code === undefined) return { text }
    const what = use === 'key' ? 'private key without a passphrase' : 'certificate'
    return { problem: `the file holds no PEM ${what} (${code})` }
  } catch (error) {
    return { problem: `the file cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

/** Why a TLS server could not use these; undefined where it can. */
function codeOfUse(parts: SecureContextOptions): string | undefined {
  try {
    createSecureContext(parts)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).name
  }
}
