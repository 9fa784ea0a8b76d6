// Reads an Accept field for one question only: OpenMetrics or the older Prometheus text.

const OPEN_METRICS = /^application\/openmetrics-text$/
const PLAIN_TEXT = /^(text\/plain|text\/\*|\*\/\*)$/

/** True when OpenMetrics is named and nothing that plain text satisfies is preferred to it (RFC 9110 section 12.5.1). */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const ranges = (accept ?? '').toLowerCase().split(',')
  const openMetrics = bestQuality(ranges, OPEN_METRICS)
  return openMetrics > 0 && openMetrics >= bestQuality(ranges, PLAIN_TEXT)
}

function bestQuality(ranges: readonly string[], type: RegExp): number {
  let best = 0
  for (const range of ranges) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (type.test(name)) best = Math.max(best, toQuality(parameters))
  }
  return best
}

/** A weight that is no number counts as 0. */
function toQuality(parameters: readonly string[]): number {
  const written = parameters.find((parameter) => parameter.startsWith('q='))
  return written === undefined ? 1 : Number(written.slice(2)) || 0
}
