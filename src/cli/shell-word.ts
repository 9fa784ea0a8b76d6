// Text as one word of a POSIX shell's command line, for lines that people paste.

/** Quoted where the shell would read anything into it. */
export function toShellWord(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
