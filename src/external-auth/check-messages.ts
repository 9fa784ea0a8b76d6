// The messages of Envoy's external authorization (envoy.service.auth.v3), as far as they are read or written here: wire-compatible, by
// the field numbers of Envoy's own definitions. What is not listed is skipped when it is read.
import protobuf from 'protobufjs'

const DEFINITIONS = `
syntax = "proto3";

message CheckRequest { AttributeContext attributes = 1; }

message AttributeContext {
  message Peer { Address address = 1; }
  message Request { HttpRequest http = 2; }
  message HttpRequest {
    string method = 2;
    map<string, string> headers = 3;
    string path = 4;
    string host = 5;
    string scheme = 6;
    HeaderMap header_map = 13;
  }
  Peer source = 1;
  Request request = 4;
}

message Address { SocketAddress socket_address = 1; }
message SocketAddress { string address = 2; }
message HeaderMap { repeated HeaderValue headers = 1; }
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }

message CheckResponse {
  Status status = 1;
  DeniedHttpResponse denied_response = 2;
  OkHttpResponse ok_response = 3;
}

message Status { int32 code = 1; string message = 2; }

message DeniedHttpResponse {
  HttpStatus status = 1;
  repeated HeaderValueOption headers = 2;
  string body = 3;
}

message HttpStatus { int32 code = 1; }

message OkHttpResponse {
  repeated HeaderValueOption headers = 2;
  repeated string headers_to_remove = 5;
  repeated HeaderValueOption response_headers_to_add = 6;
  repeated string query_parameters_to_remove = 8;
}

message HeaderValueOption { HeaderValue header = 1; int32 append_action = 3; }
`

export interface HeaderValue {
  readonly key: string
  readonly value?: string
  readonly rawValue?: Uint8Array
}

/** One request to be judged; whatever was not sent is missing, or empty. */
export interface CheckRequest {
  readonly attributes?: {
    readonly source?: {
      readonly address?: { readonly socketAddress?: { readonly address: string } }
    }
    readonly request?: { readonly http?: HttpAttributes }
  }
}

export interface HttpAttributes {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: string
  readonly scheme: string
  /** Values of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** Every field as it came; in the place of `headers`. */
  readonly headerMap?: { readonly headers: readonly HeaderValue[] }
}

export interface HeaderValueOption {
  readonly header: HeaderValue
  readonly appendAction: number
}

/** HeaderAppendAction: the value comes beside every earlier one. */
export const APPEND = 0
/** HeaderAppendAction: the value takes the place of every earlier one. */
export const OVERWRITE = 2

export interface CheckResponse {
  /** 0 allows. */
  readonly status: { readonly code: number; readonly message?: string }
  readonly deniedResponse?: {
    readonly status: { readonly code: number }
    readonly headers: readonly HeaderValueOption[]
    readonly body: string
  }
  readonly okResponse?: {
    readonly headers: readonly HeaderValueOption[]
    readonly headersToRemove: readonly string[]
    readonly responseHeadersToAdd?: readonly HeaderValueOption[]
    readonly queryParametersToRemove: readonly string[]
  }
}

export interface CheckMessages {
  /** @throws when the bytes are no such message */
  decodeRequest(bytes: Uint8Array): CheckRequest
  encodeResponse(response: CheckResponse): Buffer
}

export function createCheckMessages(): CheckMessages {
  const { root } = protobuf.parse(DEFINITIONS)
  const request = root.lookupType('CheckRequest')
  const response = root.lookupType('CheckResponse')
  return {
    decodeRequest: (bytes) => request.decode(bytes) as unknown as CheckRequest,
    encodeResponse: (message) => Buffer.from(response.encode(message).finish()),
  }
}
