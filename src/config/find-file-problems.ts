// Certificates and keys that a configuration names: there, readable, and fit for one another. Tells codes, never contents.
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { LoadedConfig } from './load.ts'
import type { Problem } from './problem.ts'
import type { Listen } from './schema.ts'

/** What would keep the listeners from starting, at the settings that name the files. */
export function findFileProblems(loaded: LoadedConfig): readonly Problem[] {
  const { listen, admin } = loaded.config
  return [
    ...checkTls('listen', listen.tls, loaded),
    ...(admin === 'none' ? [] : checkTls('admin', admin.tls, loaded)),
  ]
}

function checkTls(listener: string, tls: Listen['tls'], { problemAt }: LoadedConfig): Problem[] {
  if (tls === undefined) return []
  const [cert, key] = [readPem(tls.cert, 'cert'), readPem(tls.key, 'key')]
  const problems = Object.entries({ cert, key }).flatMap(([name, { problem }]) =>
    problem === undefined ? [] : [problemAt([listener, 'tls', name], problem)],
  )
  if (problems.length > 0) return problems
  const code = codeOfUse({ cert: cert.text, key: key.text })
  if (code === undefined) return []
  return [problemAt([listener, 'tls', 'key'], `is not the key of the certificate (${code})`)]
}

interface Pem {
  readonly text?: string
  readonly problem?: string
}

function readPem(path: string, use: 'cert' | 'key'): Pem {
  try {
    const text = readFileSync(path, 'utf8')
    const code = codeOfUse({ [use]: text })
    if (code === undefined) return { text }
    const what = use === 'cert' ? 'certificate' : 'private key without a passphrase'
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
