// The plain curl of the machine, as a user would call Poolgate with it.
import { spawn, spawnSync } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'

export interface CurlAnswer {
  readonly status: number
  /** By name in lower case; the last line of a name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0
}

/** @param args as on its command line; the target is sent as it is written. @param input what `-T -` or `-d @-` read */
export async function curl(
  args: readonly string[],
  input: string | Buffer = '',
): Promise<CurlAnswer> {
  const report = '%{stderr}{"status":%{response_code},"headers":%{header_json}}'
  const child = spawn('curl', ['-s', '-g', '--path-as-is', '-w', report, ...args])
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [body, told] = await Promise.all([buffer(child.stdout), text(child.stderr)])
  const { status, headers } = JSON.parse(told) as {
    status: number
    headers: Record<string, string[]>
  }
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [name, values.at(-1) ?? '']),
    ),
    body,
  }
}
