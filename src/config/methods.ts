// The methods that routes can name.

/** Methods of RFC 9110, RFC 5789 and WebDAV; CONNECT and TRACE are never forwarded. */
export const METHODS = [
  'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND', 'PROPPATCH',
  'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH',
] as const // prettier-ignore
