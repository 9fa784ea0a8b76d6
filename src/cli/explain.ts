// `poolgate explain`: the decision for one request, step by step, and the status that it would get. Sends nothing but requests for keys.
import { METHODS } from 'node:http'
import { isIP } from 'node:net'
import type { Config } from '../config/schema.ts'
import { explain } from '../explain/explain.ts'
import type { Question } from '../explain/question.ts'
import { toText } from '../explain/to-text.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { fetchKeys, toPoolSettings } from './fetch-keys.ts'
import { readTokenFile } from './token-text.ts'

export interface ExplainOptions {
  readonly tokenFile?: string
  readonly header?: readonly string[]
  readonly peer?: string
  readonly via?: Question['via']
  readonly json?: boolean
}

const URL = /^(?:(https?):\/\/([^/?#]*))?((?:[/?#].*)?)$/is
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/
/** 0 allows, 3 denies, 2 when it cannot be asked. */
export async function explainRequest(
  config: Config,
  method: string,
  url: string,
  options: ExplainOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const question = await toQuestion(method, url, options, context)
  if (typeof question === 'string') {
    context.stderr(`${question}\n`)
    return 2
  }
  const problems = new Map<string, string>()
  const pools = await Promise.all(
    Object.entries(config.userPools).map(async ([name, pool]) => {
      const keys = await fetchKeys(pool, context.clock, (problem) => problems.set(name, problem))
      return { settings: toPoolSettings(name, pool), keys }
    }),
  )
  const explanation = await explain(config, question, {
    clock: context.clock,
    pools,
    keyProblemOf: (name) => problems.get(name),
  })
  for (const { keys } of pools) keys.stop()
  context.stdout(
    options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : toText(explanation),
  )
  return explanation.verdict.decision === 'allow' ? 0 : 3
}

/** Or why there is none. */
async function toQuestion(
  method: string,
  url: string,
  options: ExplainOptions,
  { readStdin }: CommandContext,
): Promise<Question | string> {
  const { tokenFile, header = [], peer = '127.0.0.1', via } = options
  if (!METHODS.includes(method)) {
    return `the method is none of HTTP, such as GET or POST (in capital letters): ${JSON.stringify(method)}`
  }
  if (peer !== 'unix' && isIP(peer) === 0) {
    return `--peer takes an IP address or the word unix, found ${JSON.stringify(peer)}`
  }
  const parts = URL.exec(url)
  if (parts === null || url === '') {
    return `the URL begins with https://, http:// or /, found ${JSON.stringify(url)}`
  }
  const headers: string[] = []
  for (const line of header) {
    const [, name, value = ''] = HEADER.exec(line) ?? []
    if (name === undefined) return `--header takes 'Name: value', found ${JSON.stringify(line)}`
    headers.push(name, value.trim())
  }
  const token = await readTokenFile(tokenFile, readStdin)
  if (typeof token === 'object') return token.problem
  if (token !== undefined) headers.push('authorization', `Bearer ${token}`)
  const [, scheme = 'https', authority = 'localhost', rest = ''] = parts
  return {
    method,
    scheme: scheme.toLowerCase(),
    authority: takeHost(headers) ?? authority,
    target: rest.startsWith('/') ? rest : `/${rest}`,
    headers,
    peer: peer === 'unix' ? '' : peer,
    via,
  }
}

/** Clients that are given a Host field send it in the place of the URL's. */
function takeHost(headers: string[]): string | undefined {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
  return at === -1 ? undefined : headers.splice(at, 2)[1]
}
