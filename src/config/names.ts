// What configuration names may be made of. They stand in logs and metrics.

export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
export const NAME =
  'a name of letters, digits, ".", "_" and "-", at most 63 and a letter or digit first'
