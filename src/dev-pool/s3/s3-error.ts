// Refusals of the S3 stand-in, as S3 words them. A signature that does not match is told with what was signed here, as S3 does; a secret never.
import type { XmlElements } from '../xml-text.ts'

export interface S3Error {
  readonly status: number
  readonly code: S3ErrorCode
  readonly message: string
  /** Further elements. */
  readonly details?: XmlElements
}

const STATUSES = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  EntityTooLarge: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const

export type S3ErrorCode = keyof typeof STATUSES

export function toS3Error(code: S3ErrorCode, message: string, details: XmlElements = {}): S3Error {
  return { status: STATUSES[code], code, message, details }
}

export function isS3Error(value: object): value is S3Error {
  return 'code' in value && 'status' in value
}
