// Writes the request files that the load generator sends: the same eight header fields each time, with one token or another.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchWorld } from './world.ts'

/** Paths of request files; the same arguments give the same file. */
export interface Traffic {
  good(count: number): string
  /** Good ones that are in no other file. */
  otherGood(count: number): string
  badSignature(count: number): string
  unknownKid(count: number): string
  /** One of 100 good tokens and a bad signature in turn. */
  halfBad(count: number): string
  /** `GET /file`, 1 GiB. */
  download(): string
  /** The head of `POST /upload` with a body of so many bytes. */
  upload(bytes: number): string
}

export function createTraffic(bench: BenchWorld, dir: string): Traffic {
  const files = new Map<string, string>()
  const hot = once(() => bench.tokens(100))

  function file(name: string, toRequests: () => readonly string[]): string {
    const path = files.get(name) ?? join(dir, `${name}.requests`)
    if (!files.has(name)) writeFileSync(path, toRequests().map(withLength).join(''))
    files.set(name, path)
    return path
  }

  const good = (count: number) => (count <= 100 ? hot().slice(0, count) : bench.tokens(count))
  return {
    good: (count) => file(`good-${count}`, () => good(count).map((token) => toGet('/', token))),
    otherGood: (count) =>
      file(`other-good-${count}`, () => bench.tokens(count).map((token) => toGet('/', token))),
    badSignature: (count) =>
      file(`bad-signature-${count}`, () =>
        bench.badSignatureTokens(count).map((token) => toGet('/', token)),
      ),
    unknownKid: (count) =>
      file(`unknown-kid-${count}`, () =>
        bench.unknownKidTokens(count).map((token) => toGet('/', token)),
      ),
    halfBad: (count) =>
      file(`half-bad-${count}`, () =>
        bench
          .badSignatureTokens(count / 2)
          .flatMap((token, index) => [toGet('/', hot()[index % 100]!), toGet('/', token)]),
      ),
    download: () => file('download', () => [toGet('/file', hot()[0]!)]),
    upload: (bytes) =>
      file(`upload-${bytes}`, () => [
        `POST /upload HTTP/1.1\r\n${toFields(hot()[0]!)}Content-Length: ${bytes}\r\n\r\n`,
      ]),
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

function toGet(path: string, token: string): string {
  return `GET ${path} HTTP/1.1\r\n${toFields(token)}\r\n`
}

/** Lines of a request's head, each with its end. */
export function toFields(token: string): string {
  return [
    'Host: api.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: application/json, text/plain, */*',
    'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
    'Accept-Encoding: gzip, deflate, br',
    `Authorization: Bearer ${token}`,
    'Referer: https://www.example.com/orders',
    'Origin: https://www.example.com',
    '',
  ].join('\r\n')
}

function withLength(request: string): string {
  return `${Buffer.byteLength(request)}\n${request}`
}
