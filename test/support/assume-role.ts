// Temporary credentials of a role, asked of a peer's STS and told as an identity pool tells them.
import { AssumeRoleCommand, type AssumeRoleCommandInput, type STSClient } from '@aws-sdk/client-sts'

export interface StaticCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** As Cognito's GetCredentialsForIdentity names them; seconds since 1970. */
export interface IdentityCredentials {
  readonly AccessKeyId: string
  readonly SecretKey: string
  readonly SessionToken: string
  readonly Expiration: number
}

export async function assumeRole(
  sts: STSClient,
  input: AssumeRoleCommandInput,
): Promise<IdentityCredentials> {
  const { Credentials } = await sts.send(new AssumeRoleCommand(input))
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
  const Expiration = Math.floor(Number(Credentials?.Expiration) / 1000)
  return { AccessKeyId, SecretKey: SecretAccessKey, SessionToken, Expiration }
}
