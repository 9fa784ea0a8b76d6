// Finds the programs and packages of the peers, and asks them for their versions. Installs nothing: that is setup.sh.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where setup.sh puts what does not come with the system. */
export const TOOLS = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'poolgate-tools')

const PACKAGES = join(import.meta.dirname, 'node_modules')

/** The command's path, or its name where there is none, so that starting it tells so. */
export function commandPath(command: string): string {
  return findCommand(command) ?? command
}

/** One sentence that says how to get it; undefined where it is there. */
export function missingCommand(command: string): string | undefined {
  if (findCommand(command) !== undefined) return undefined
  return `${command} is not installed; bench/setup.sh or apt-get install ${command} brings it.`
}

export function missingTool(file: string): string | undefined {
  if (isExecutable(file)) return undefined
  return `There is no ${file}; bench/setup.sh brings it.`
}

export function missingPackages(...names: string[]): string | undefined {
  const absent = names.filter((name) => !existsSync(join(PACKAGES, name)))
  if (absent.length === 0) return undefined
  return `${absent.join(' and ')} cannot be loaded; bench/setup.sh or npm ci in bench/ brings them.`
}

export function packageVersions(...names: string[]): string {
  return names.map((name) => `${name} ${packageVersion(name)}`).join(', ')
}

/** What `pattern` finds in the command's output, or `unknown`. */
export function printedVersion(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
}

function packageVersion(name: string): string {
  const manifest = readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function findCommand(command: string): string | undefined {
  // Debian keeps nginx and haproxy where only root's PATH leads.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, command)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
