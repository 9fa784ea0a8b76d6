// What the machine's own openssl needs for one RSA-2048 verification: the physical limit that everything else is beside.
import { spawnSync } from 'node:child_process'

/** `OpenSSL 3.…`, or undefined where there is none on PATH. */
export function findOpenssl(): string | undefined {
  const { status, stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** CPU microseconds of one verification; takes twice `seconds`, because it insists on signing as well. */
export function timeOpensslVerify(seconds: number): number {
  const args = ['speed', '-seconds', String(seconds), '-mr', 'rsa2048']
  const { stdout } = spawnSync('openssl', args, { encoding: 'utf8' })
  // +F2:ALGORITHM:BITS:SIGNATURES PER SECOND:VERIFICATIONS PER SECOND
  const perSecond = Number(/^\+F2:\d+:2048:[\d.]+:([\d.]+)/m.exec(stdout)?.[1])
  if (!(perSecond > 0)) throw new Error(`openssl speed says something else:\n${stdout}`)
  return 1e6 / perSecond
}
