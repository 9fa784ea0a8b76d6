// Asks an ingress for something, and says what it answered and what arrived at the service behind it.
import { sendRaw } from './raw-client.ts'
import type { RunningRecipe } from './recipe.ts'
import type { SeenRequest } from './recording-upstream.ts'

export interface Question {
  readonly method?: string
  readonly target: string
  readonly host?: string
  readonly token?: string | undefined
  readonly fields?: readonly string[]
  readonly body?: string
}

export interface Outcome {
  readonly status: number
  readonly text: string
  /** What the service received. */
  readonly arrived: readonly SeenRequest[]
}

export async function ask(
  { origin, service }: RunningRecipe,
  question: Question,
): Promise<Outcome> {
  const { method = 'GET', target, host = 'app.example', token, fields = [], body = '' } = question
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...fields,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
  ]
  const { text, statuses } = await sendRaw(origin, `${lines.join('\r\n')}\r\n\r\n${body}`, {
    quietMs: 8_000,
    until: isWhole,
  })
  return { status: statuses[0] ?? 0, text, arrived: service.take() }
}

/** Some peers keep a connection for a second after an answer that ends it. */
function isWhole(text: string): boolean {
  const [head = '', body] = text.split('\r\n\r\n', 2)
  if (body === undefined) return false
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : body.length >= Number(length)
}

/** Fields that a service could take for Poolgate's, with a value, by name. */
export function identityOf(request: SeenRequest | undefined): string[][] {
  const { headers = [] } = request ?? {}
  const fields: string[][] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const isOwned = /^x-(auth|amzn-oidc)-/.test(name.replace(/[^a-z0-9]/g, '-'))
    if (isOwned && headers[i + 1] !== '') fields.push([name, headers[i + 1] as string])
  }
  return fields.sort()
}

/** Of every field of that name. */
export function valuesOf(request: SeenRequest | undefined, name: string): string[] {
  const { headers = [] } = request ?? {}
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
}
