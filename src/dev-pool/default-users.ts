// The users that the dev pool has when no file is given; also the example of what such a file may hold.

export const DEFAULT_USERS = `\
# Users of the dev pool. Changes apply at once: to new sign-ins, refreshed tokens and minted tokens.

groups: # only groups that have a role need to stand here
  admins:
    role: arn:aws:iam::123456789012:role/dev-admin # cognito:roles and cognito:preferred_role in ID tokens
    precedence: 1 # the lowest number is preferred

users:
  admin:
    password: Admin-Pass-1
    groups: [admins]
    scopes: [orders/read, orders/write] # beside aws.cognito.signin.user.admin
    attributes: # in ID tokens, and by GetUser
      email: admin@example.com
      email_verified: true
      given_name: Ada
      family_name: Admin
      custom:tenant: acme # custom attributes are always text

  reader:
    password: Reader-Pass-1
    groups: [readers]
    scopes: [orders/read]
    attributes:
      email: reader@example.com
      email_verified: true
      given_name: Renée
      family_name: Reader
      custom:tenant: acme

  guest: # in no group at all
    password: Guest-Pass-1
    # sub: 00000000-0000-4000-8000-000000000001 # default: made from the name, the same at each start
    # enabled: false # cannot sign in, and cannot refresh
    attributes:
      email: guest@example.com
      email_verified: false
      given_name: Gus
      family_name: Guest
      custom:tenant: globex
`
