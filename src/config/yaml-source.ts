// The text of one YAML document and where everything in it stands. Refuses what configuration has no use for.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Pair,
  type YAMLError,
} from 'yaml'
import { type ConfigPath, type Problem, toPathText } from './problem.ts'
import { toSnippet } from './snippet.ts'

/** Something wrong at a path: with its value, or with its key. */
export interface Finding {
  readonly path: ConfigPath
  readonly message: string
  readonly part?: 'key' | undefined
}

export interface YamlSource {
  readonly document: Document
  /** What the YAML itself is guilty of. */
  readonly problems: readonly Problem[]
  /** False where the document cannot be read beyond its problems. */
  readonly readable: boolean
  toProblem(finding: Finding): Problem
}

/** @param file its name, for problems only */
export function parseYamlSource(text: string, file: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
  })
  const toLocated = (start: number, end: number, path: string, message: string): Problem => {
    const { line, col } = lines.linePos(start)
    const snippet = toSnippet(text, line, col, end - start)
    return { file, line, column: col, path, message, snippet }
  }
  const faults = [...document.errors, ...document.warnings]
  return {
    document,
    problems: faults.map((fault) =>
      toLocated(fault.pos[0], fault.pos[1], '', toYamlMessage(fault, text)),
    ),
    readable: faults.every((fault) => HARMLESS.has(fault.code)),
    toProblem({ path, message, part }) {
      const [start, end] = rangeOf(document, path, part)
      return toLocated(start, end, toPathText(path), message)
    },
  }
}

/** After these the rest of the document is still what it says. */
const HARMLESS = new Set(['DUPLICATE_KEY', 'NON_STRING_KEY', 'TAG_RESOLVE_FAILED'])

function toYamlMessage(error: YAMLError, text: string): string {
  if (error.code === 'DUPLICATE_KEY') return 'this key was given before in the same mapping'
  if (error.code === 'NON_STRING_KEY') return 'expected plain text as a key'
  if (error.code === 'TAG_RESOLVE_FAILED') return 'tags (!…) are not supported here'
  if (error.code === 'MULTIPLE_DOCS')
    return 'expected one YAML document; remove the --- between them'
  const line = text.slice(text.lastIndexOf('\n', error.pos[0] - 1) + 1).split('\n', 1)[0] ?? ''
  const hint = /[[{,].*\$\{/.test(line) ? `; inside [ ] and { } a \${…} stands in quotes` : ''
  return `${error.message.split('\n', 1)[0]}${hint}`
}

/** Source offsets of what a problem at this path points at; of its nearest parent's key where it is missing. */
function rangeOf(document: Document, path: ConfigPath, part: 'key' | undefined): [number, number] {
  let node = document.contents as Node | null
  let key: Node | null = null
  for (const step of path) {
    const pair = childOf(node, document, step)
    if (pair === undefined) return toSpan(key ?? firstOf(node))
    key = pair.key as Node | null
    node = pair.value as Node | null
  }
  const value = toSpan(node)
  if (key === null) return toSpan(isCollection(node) ? firstOf(node) : node)
  // A block below its key, or nothing at all: the key is the place to look at.
  return part === 'key' || value[0] === value[1] || isBlock(node) ? toSpan(key) : value
}

function isBlock(node: Node | null): boolean {
  return isCollection(node) && node.flow !== true
}

function firstOf(node: Node | null): Node | null {
  const first = isMap(node) && !node.flow ? (node.items[0]?.key as Node | undefined) : undefined
  return first ?? node
}

function toSpan(node: Node | null): [number, number] {
  return node?.range ? [node.range[0], node.range[1]] : [0, 0]
}

function childOf(parent: Node | null, document: Document, step: string | number) {
  const node = isAlias(parent) ? (parent.resolve(document) ?? null) : parent
  if (isMap(node)) return node.items.find((pair) => toKeyText(pair) === String(step))
  if (isSeq(node) && typeof step === 'number' && step in node.items) {
    return { key: null, value: node.items[step] }
  }
  return undefined
}

/** A mapping's key, or undefined where it is no text. */
export function toKeyText({ key }: Pair): string | undefined {
  return isScalar(key) && typeof key.value === 'string' ? key.value : undefined
}
