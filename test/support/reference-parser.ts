// llhttp, the parser of Node and undici, in its strict mode and on its own: what it makes of an upstream's answer that is followed by
// the end of the connection. It is the measure in differential tests, and shares no code with what they test.
import { createRequire } from 'node:module'
import type { RawHeaders } from '../../src/http/headers.ts'

/** What somebody made of an answer. */
export interface Reading {
  /** Interim responses that came before. */
  readonly informed: readonly { readonly status: number; readonly headers: RawHeaders }[]
  /** Undefined when no head was accepted. */
  readonly head: { readonly status: number; readonly headers: RawHeaders } | undefined
  /** One character a byte. */
  readonly body: string
  readonly trailers: RawHeaders
  /** False when the answer was refused, or broke off, on the way. */
  readonly complete: boolean
}

export interface ReferenceReading extends Reading {
  /** Whether the connection may carry another request. */
  readonly persistent: boolean
}

export type ReadAnswer = (bytes: Buffer, method: 'GET' | 'HEAD') => ReferenceReading

/** What the module calls back with; spans are addresses in its memory. */
interface Callbacks {
  field(at: number, length: number): void
  value(at: number, length: number): void
  headersComplete(status: number, isUpgrade: number, keepAlive: number): number
  body(at: number, length: number): void
  messageComplete(): number
}

/** As much of it as is used here; the types come with the browser's otherwise. */
declare const WebAssembly: {
  readonly Module: new (bytes: Buffer) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  malloc(size: number): number
  free(at: number): void
  llhttp_alloc(type: number): number
  llhttp_free(parser: number): void
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_finish(parser: number): number
}

const RESPONSE = 2
const OK = 0
const PAUSED = 21
const REFUSE = -1
const SKIP_BODY = 1

export function createReferenceParser(): ReadAnswer {
  let now: Callbacks | undefined
  const exports = instantiate(() => now as Callbacks)
  exports.memory.grow(64)
  let capacity = 64 * 1024
  let buffer = exports.malloc(capacity)
  return (bytes, method) => {
    if (bytes.length > capacity) {
      exports.free(buffer)
      capacity = bytes.length
      buffer = exports.malloc(capacity)
    }
    const text = (at: number, length: number) =>
      Buffer.from(exports.memory.buffer, at, length).toString('latin1')
    const { callbacks, result } = collect(method, text)
    const parser = exports.llhttp_alloc(RESPONSE)
    new Uint8Array(exports.memory.buffer).set(bytes, buffer)
    now = callbacks
    const error = exports.llhttp_execute(parser, buffer, bytes.length)
    if (error === OK) exports.llhttp_finish(parser)
    exports.llhttp_free(parser)
    return result()
  }
}

function instantiate(now: () => Callbacks): Exports {
  const path = 'undici/lib/llhttp/llhttp_simd-wasm.js'
  const require = createRequire(import.meta.url)
  const module = new WebAssembly.Module(require(path))
  const none = () => 0
  const span = (name: 'field' | 'value' | 'body') => (_: number, at: number, length: number) => {
    now()[name](at, length)
    return OK
  }
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      wasm_on_url: none,
      wasm_on_status: none,
      wasm_on_message_begin: none,
      wasm_on_header_field: span('field'),
      wasm_on_header_value: span('value'),
      wasm_on_headers_complete: (_: number, status: number, upgrade: number, keepAlive: number) =>
        now().headersComplete(status, upgrade, keepAlive),
      wasm_on_body: span('body'),
      wasm_on_message_complete: () => now().messageComplete(),
    },
  })
  return exports as Exports
}

/** Puts one answer together from what the parser calls back with. */
function collect(method: 'GET' | 'HEAD', text: (at: number, length: number) => string) {
  const informed: { status: number; headers: RawHeaders }[] = []
  const body: string[] = []
  let fields: string[] = []
  let head: Reading['head']
  let status = 0
  let [complete, persistent] = [false, false]
  const take = () => {
    const taken = fields.map((field, i) => (i % 2 === 0 ? field : trimBlanks(field)))
    fields = []
    return taken.length % 2 === 0 ? taken : [...taken, '']
  }
  const callbacks: Callbacks = {
    field(at, length) {
      if (fields.length % 2 === 1) fields.push('')
      fields.push(text(at, length))
    },
    value(at, length) {
      // A value comes in pieces when it is folded.
      if (fields.length % 2 === 1) fields.push(text(at, length))
      else fields.push((fields.pop() as string) + text(at, length))
    },
    headersComplete(code, isUpgrade, keepAlive) {
      status = code
      if (isUpgrade === 1 || code === 101) return REFUSE
      if (code < 200) {
        informed.push({ status: code, headers: take() })
        return SKIP_BODY
      }
      head = { status: code, headers: take() }
      persistent = keepAlive === 1
      return method === 'HEAD' ? SKIP_BODY : OK
    },
    body: (at, length) => void body.push(text(at, length)),
    messageComplete() {
      if (status < 200) return OK
      complete = true
      return PAUSED
    },
  }
  const result = (): ReferenceReading => ({
    informed,
    head,
    body: body.join(''),
    trailers: complete ? take() : [],
    complete,
    persistent,
  })
  return { callbacks, result }
}

/** Only what the grammar calls blank; everything else belongs to the value. */
export function trimBlanks(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}
