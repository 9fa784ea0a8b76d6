// Asks for decisions as Envoy does, by gRPC's own client. The messages are written here once more, by Envoy's field numbers, so that a
// wrong number in the product shows.
import * as grpc from '@grpc/grpc-js'
import protobuf from 'protobufjs'

const DEFINITIONS = `
syntax = "proto3";
message Check { Attributes attributes = 1; }
message Attributes { Peer source = 1; Request request = 4; map<string, string> context_extensions = 10; }
message Peer { Address address = 1; string service = 2; }
message Address { Socket socket_address = 1; }
message Socket { int32 protocol = 1; string address = 2; uint32 port_value = 3; }
message Request { Http http = 2; }
message Http {
  string id = 1; string method = 2; map<string, string> headers = 3; string path = 4; string host = 5;
  string scheme = 6; int64 size = 9; string protocol = 10; string body = 11; HeaderMap header_map = 13;
}
message HeaderMap { repeated Field headers = 1; }
message Field { string key = 1; string value = 2; bytes raw_value = 3; }
message Answer { Status status = 1; Denied denied_response = 2; Ok ok_response = 3; }
message Status { int32 code = 1; string message = 2; }
message Code { int32 code = 1; }
message Option { Field header = 1; bool append = 2; int32 append_action = 3; }
message Denied { Code status = 1; repeated Option headers = 2; string body = 3; }
message Ok {
  repeated Option headers = 2; repeated string headers_to_remove = 5; repeated Option response_headers_to_add = 6;
  repeated string query_parameters_to_remove = 8;
}
`

export interface CheckAnswer {
  readonly allowed: boolean
  /** Of the denial; 200 for an allowed request. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Set-Cookie fields for the client, of either answer. */
  readonly setCookies: readonly string[]
  readonly cacheControl: string | undefined
  readonly remove: readonly string[]
  readonly removeQuery: readonly string[]
  readonly body: string
}

export interface EnvoyCheck {
  /** @param http HttpRequest of envoy.service.auth.v3; left out, there is none */
  ask(http?: object, source?: string): Promise<CheckAnswer>
  close(): void
}

/** @param address as the gateway says it */
export function createEnvoyCheck(
  address: string,
  credentials = grpc.credentials.createInsecure(),
): EnvoyCheck {
  const { root } = protobuf.parse(DEFINITIONS)
  const [request, answer] = [root.lookupType('Check'), root.lookupType('Answer')]
  const client = new grpc.Client(address, credentials)
  return {
    ask: (http, source = '192.0.2.9') =>
      new Promise((resolve, reject) => {
        const peer = { address: { socketAddress: { address: source, portValue: 1 } } }
        const attributes = { source: peer, ...(http && { request: { http } }) }
        client.makeUnaryRequest(
          '/envoy.service.auth.v3.Authorization/Check',
          (message: object) => Buffer.from(request.encode(request.fromObject(message)).finish()),
          (bytes: Buffer) => toAnswer(answer.toObject(answer.decode(bytes), { arrays: true })),
          { attributes },
          (error, value) => (value === undefined ? reject(error) : resolve(value)),
        )
      }),
    close: () => client.close(),
  }
}

/** Every field as it came, one character a byte, as Envoy sends them with `encode_raw_headers`. */
export function toHeaderMap(headers: readonly string[]): object {
  const fields = headers.flatMap((key, i) =>
    i % 2 === 0
      ? [{ key: key.toLowerCase(), rawValue: Buffer.from(headers[i + 1] ?? '', 'latin1') }]
      : [],
  )
  return { headers: fields }
}

type Option = { readonly header: { readonly key: string; readonly value?: string } }

interface Options {
  readonly headers: readonly Option[]
}

function toAnswer(message: Record<string, unknown>): CheckAnswer {
  const { status, deniedResponse, okResponse } = message as {
    status?: { code?: number }
    deniedResponse?: Options & { status: { code: number }; body?: string }
    okResponse?: Options & {
      headersToRemove: string[]
      responseHeadersToAdd: Option[]
      queryParametersToRemove: string[]
    }
  }
  const options = (okResponse ?? deniedResponse)?.headers ?? []
  const forClient = okResponse?.responseHeadersToAdd ?? deniedResponse?.headers ?? []
  return {
    allowed: (status?.code ?? 0) === 0 && okResponse !== undefined && deniedResponse === undefined,
    status: deniedResponse?.status.code ?? 200,
    headers: Object.fromEntries(options.map(({ header }) => [header.key, header.value ?? ''])),
    cacheControl: forClient.find(({ header }) => header.key === 'cache-control')?.header.value,
    setCookies: forClient
      .filter(({ header }) => header.key === 'set-cookie')
      .map(({ header }) => header.value ?? ''),
    remove: okResponse?.headersToRemove ?? [],
    removeQuery: okResponse?.queryParametersToRemove ?? [],
    body: deniedResponse?.body ?? '',
  }
}
