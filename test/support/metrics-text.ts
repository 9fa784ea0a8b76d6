// Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0, and throws at whatever a scraper could choke on.

export interface Exposed {
  /** Type by family name. */
  readonly types: ReadonlyMap<string, string>
  /** Value by series as written, `name{label="value"}`. */
  readonly series: ReadonlyMap<string, number>
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/
const SUFFIXES: Readonly<Record<string, RegExp>> = {
  counter: /_total$/,
  histogram: /_(?:bucket|sum|count)$/,
  summary: /(?:_sum|_count)?$/,
}

export function parseMetricsText(text: string, openMetrics: boolean): Exposed {
  const types = new Map<string, string>()
  const series = new Map<string, number>()
  const body = openMetrics ? cutEnd(text, '\n# EOF\n') : cutEnd(text, '\n')
  let family = ''
  for (const line of body.split('\n')) {
    const [mark, what, name = '', type = ''] = line.split(' ')
    if (mark !== '#') {
      if (line !== '' || openMetrics) addSample(line, family, types.get(family) ?? '')
    } else if (what === 'TYPE') {
      if (name !== family || types.has(name)) throw new Error(`misplaced: ${line}`)
      types.set(name, type)
    } else if (what === 'HELP') family = name
    else throw new Error(`not a comment anybody knows: ${line}`)
  }

  function addSample(line: string, family: string, type: string): void {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    if (name === '') throw new Error(`not a sample: ${line}`)
    // In the older format a counter's family has the name that its samples have.
    const suffix = type === 'counter' && !openMetrics ? undefined : SUFFIXES[type]
    const isOfFamily = suffix
      ? suffix.test(name) && name.replace(suffix, '') === family
      : name === family
    if (!isOfFamily) throw new Error(`${name} does not belong to ${type} ${family}`)
    if (series.has(name + labels)) throw new Error(`twice: ${name}${labels}`)
    if (/le="\d+"/.test(labels)) throw new Error(`not a float: ${line}`)
    if (!/^[+-]?(?:\d|Inf)/.test(value)) throw new Error(`not a number: ${line}`)
    series.set(name + labels, Number(value))
  }
  return { types, series }
}

function cutEnd(text: string, end: string): string {
  if (!text.endsWith(end)) throw new Error(`the text does not end in ${JSON.stringify(end)}`)
  return text.slice(0, -end.length)
}
