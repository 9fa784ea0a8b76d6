// How a person calls this program, for lines that are pasted into a shell. Never a name that the shell would not find.
import { basename } from 'node:path'
import { toShellWord } from './shell-word.ts'

export interface Start {
  /** Path of the Node.js that runs. */
  readonly execPath: string
  /** Path of the script that it was started with. */
  readonly script: string
  /** Of the npm script that runs, where one does. */
  readonly npmPackage: string | undefined
}

/** The words before the command: an npm script in a checkout, the name where it is installed, else both paths. */
export function toInvocation({ execPath, script, npmPackage }: Start): string {
  if (npmPackage === 'poolgate') return 'npm run -s poolgate --'
  if (basename(script) === 'poolgate') return 'poolgate'
  return [execPath, script].map(toShellWord).join(' ')
}
