// Claims that become `aws:PrincipalTag/…` of a session (attributes for access control). A claim that the token lacks makes no tag.
import type { JWTPayload } from 'jose'

/** @param mapping tag → claim */
export function toPrincipalTags(
  mapping: Readonly<Record<string, string>>,
  claims: JWTPayload,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(mapping).flatMap(([tag, claim]) =>
      Object.hasOwn(claims, claim) ? [[tag, String(claims[claim])]] : [],
    ),
  )
}
