// `poolgate healthcheck`: asks a gateway whether it is ready, for images without a shell.
import { get } from 'node:http'
import type { CommandContext, ExitCode } from './command-context.ts'

const DEFAULT_URL = 'http://127.0.0.1:9090/readyz'
const TIMEOUT_MS = 3_000

/** 0 when `/readyz` (or the path that the URL names) answers 200. */
export async function healthcheck(
  url: string | undefined,
  context: CommandContext,
): Promise<ExitCode> {
  const target = URL.parse(url ?? DEFAULT_URL)
  if (target === null || target.protocol !== 'http:') {
    context.stderr('healthcheck: the URL must begin with http://\n')
    return 2
  }
  if (target.pathname === '/') target.pathname = '/readyz'
  const problem = await new Promise<string | undefined>((resolve) => {
    const request = get(target, { timeout: TIMEOUT_MS, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `answered ${response.statusCode}`)
    })
    request.on('timeout', () => request.destroy(new Error('no answer in 3 s')))
    request.on('error', (error) => resolve(error.message))
  })
  if (problem === undefined) return 0
  context.stderr(`healthcheck: ${target.href}: ${problem}\n`)
  return 1
}
