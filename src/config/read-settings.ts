// Turns a YAML document into plain values, with ${…} substituted in scalars: never in keys, and never into structure.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Scalar,
  type ScalarTag,
  type YAMLMap,
} from 'yaml'
import type { ConfigPath } from './problem.ts'
import { hasReference, type Lookups, substitute } from './substitute.ts'
import { type Finding, toKeyText } from './yaml-source.ts'

export interface Settings {
  readonly value: unknown
  /** The same, with a node that holds the source text wherever something was substituted. */
  readonly printable: unknown
  readonly findings: readonly Finding[]
}

/** Aliases one document may follow, nested ones counted each time: a bomb of them ends here. */
const MAX_ALIASES = 100

interface Reading {
  readonly document: Document
  readonly lookups: Lookups
  readonly findings: Finding[]
  aliases: number
}

interface Read {
  readonly value: unknown
  readonly printable: unknown
}

const NOTHING: Read = { value: undefined, printable: undefined }

export function readSettings(document: Document, lookups: Lookups): Settings {
  const findings: Finding[] = []
  const reading: Reading = { document, lookups, findings, aliases: 0 }
  return { ...readNode(document.contents, [], reading), findings }
}

function readNode(node: unknown, path: ConfigPath, reading: Reading): Read {
  if (isScalar(node)) return readScalar(node, path, reading)
  if (isMap(node)) return readMap(node, path, reading)
  if (isSeq(node)) {
    const members = node.items.map((item, index) => readNode(item, [...path, index], reading))
    return {
      value: members.map(({ value }) => value),
      printable: members.map(({ printable }) => printable),
    }
  }
  return isAlias(node) ? readAlias(node, path, reading) : { value: null, printable: null }
}

function readAlias(alias: Alias, path: ConfigPath, reading: Reading): Read {
  const node = alias.resolve(reading.document)
  if (node === undefined) {
    refuse(reading, path, 'no anchor of this name stands before it')
  } else if (++reading.aliases <= MAX_ALIASES) {
    return readNode(node, path, reading)
  } else if (reading.aliases === MAX_ALIASES + 1) {
    refuse(reading, path, `more than ${MAX_ALIASES} aliases are followed; write the values out`)
  }
  return NOTHING
}

function readMap(map: YAMLMap, path: ConfigPath, reading: Reading): Read {
  const value: Record<string, unknown> = {}
  const printable: Record<string, unknown> = {}
  for (const pair of map.items) {
    const key = toKeyText(pair)
    if (key === undefined) continue // reported by the YAML parser
    if (key === '<<') {
      refuse(reading, [...path, key], 'merge keys are not supported; write the settings out', 'key')
    } else if (key === '__proto__') {
      refuse(reading, [...path, key], 'this name cannot be used', 'key')
    } else {
      const read = readNode(pair.value, [...path, key], reading)
      value[key] = read.value
      printable[key] = read.printable
    }
  }
  return { value, printable }
}

function readScalar(node: Scalar, path: ConfigPath, reading: Reading): Read {
  const source = node.value
  if (typeof source !== 'string' || !hasReference(source))
    return { value: source, printable: source }
  const result = substitute(source, reading.lookups)
  if ('problem' in result) {
    refuse(reading, path, result.problem)
    return NOTHING
  }
  const printable = new Scalar(source)
  printable.type = node.type === Scalar.PLAIN ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
  const retyped = node.type === Scalar.PLAIN && node.tag === undefined
  return { value: retyped ? toTyped(result.text, reading.document) : result.text, printable }
}

/** What YAML would read this text as, were it an unquoted scalar. */
function toTyped(text: string, document: Document): unknown {
  const tag = document.schema?.tags.find(
    (candidate): candidate is ScalarTag =>
      candidate.default === true && 'test' in candidate && candidate.test?.test(text) === true,
  )
  if (tag === undefined) return text
  const typed = tag.resolve(text, () => undefined, {})
  return isScalar(typed) ? typed.value : typed
}

function refuse(reading: Reading, path: ConfigPath, message: string, part?: 'key'): void {
  reading.findings.push({ path, message, part })
}
