// The AWS SDK before Poolgate, as docs/aws.md has it.

/**
 * How an AWS SDK calls Poolgate: the signer is replaced by one that shows the ID token, and Poolgate signs. The credentials are there because
 * the SDK asks for some; they are never used.
 */
export function bearerSdk(endpoint: string, region: string, token: string) {
  return {
    endpoint,
    region,
    credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
    signer: {
      async sign<Request extends { headers: Record<string, string> }>(request: Request) {
        request.headers.authorization = `Bearer ${token}`
        return request
      },
    },
  }
}
