// Reads one number off a running gateway's metrics.
import { parseMetricsText } from './metrics-text.ts'

/** The value of a series as written, `name{label="value"}`; undefined when there is none. */
export async function scrape(adminOrigin: string, series: string): Promise<number | undefined> {
  const answer = await fetch(`${adminOrigin}/metrics`)
  return parseMetricsText(await answer.text(), false).series.get(series)
}
