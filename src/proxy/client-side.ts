// What the gateway needs of a client's request and of the response to it, whichever version of HTTP carries them. Node's own classes
// for HTTP/1.1 are that as they are.

/** The connection of a request; of an HTTP/2 one, what it has for itself of one. */
export interface ClientSocket {
  readonly remoteAddress?: string | undefined
  readonly encrypted?: boolean
  readonly destroyed: boolean
  readonly readableEnded: boolean
  readonly writableEnded: boolean
  /** Of HTTP/1.1 alone, as `write` is. */
  readonly writableLength?: number
  write?(text: ''): unknown
  destroy(): unknown
  destroySoon(): void
  resetAndDestroy(): unknown
}

export interface ClientRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly rawHeaders: string[]
  readonly rawTrailers: string[]
  readonly socket: ClientSocket
  /** All of it has come. */
  readonly complete: boolean
  readonly readableEnded: boolean
  /** Only of a request in HTTP/2 frames. What a line of text says of its version is not to be believed. */
  readonly http2?: Http2Traits
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close' | 'error' | 'pause', listener: () => void): unknown
  pipe<T extends NodeJS.WritableStream>(destination: T): T
  unpipe(destination?: NodeJS.WritableStream): unknown
  resume(): unknown
}

/** What frames tell and fields do not. */
export interface Http2Traits {
  readonly hasBody: boolean
  readonly takesTrailers: boolean
  /** The fields are larger than a head may be. */
  readonly isOversized: boolean
  readonly isGrpc: boolean
}

export interface ClientResponse {
  readonly req: ClientRequest
  readonly socket: ClientSocket | null
  readonly headersSent: boolean
  readonly statusCode: number
  shouldKeepAlive: boolean
  readonly destroyed: boolean
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  readonly writableLength: number
  writeContinue(): void
  writeInformation(status: number, headers: string[]): unknown
  writeHead(status: number, headers: string[]): Pick<ClientResponse, 'end'>
  writeHead(
    status: number,
    headers: Readonly<Record<string, string | string[]>>,
  ): Pick<ClientResponse, 'end'>
  flushHeaders(): void
  write(chunk: Buffer, written: () => void): boolean
  write(text: string, encoding: 'latin1', written: () => void): boolean
  end(chunk?: Buffer | string, written?: 'latin1' | (() => void)): unknown
  addTrailers(trailers: readonly [string, string][]): void
  /** Breaks it off, so that the client sees that it is not whole. */
  destroy(): unknown
  on(event: 'close' | 'finish', listener: () => void): unknown
}
