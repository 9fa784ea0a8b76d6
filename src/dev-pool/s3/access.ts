// Who may do what in the bucket: the stand-in for IAM policies. Users have a folder of their own, named by their principal tag; guests read.
import type { Issued } from '../identity/issued-credentials.ts'

export type S3Action = 's3:GetObject' | 's3:PutObject' | 's3:DeleteObject' | 's3:ListBucket'

const PUBLIC = 'public/'
const READING: readonly S3Action[] = ['s3:GetObject', 's3:ListBucket']

/** @param key of the object, or the prefix of a list @param adminRole who may do everything */
export function isAllowed(
  { roleArn, tags }: Issued,
  action: S3Action,
  key: string,
  adminRole: string | undefined,
): boolean {
  if (roleArn === adminRole) return true
  const own = toOwnFolder(tags.username)
  if (own !== undefined && key.startsWith(own)) return true
  return READING.includes(action) && key.startsWith(PUBLIC)
}

/** `users/${aws:PrincipalTag/username}/`: without the tag there is none, and it is one folder alone. */
function toOwnFolder(tag: string | undefined): string | undefined {
  return tag === undefined || tag === '' || tag.includes('/') ? undefined : `users/${tag}/`
}
