// Which text a scraper gets for its Accept field.
import t from 'tap'
import { prefersOpenMetrics } from '../../src/telemetry/open-metrics.ts'

const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'

const CASES: readonly (readonly [string | undefined, boolean])[] = [
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/plain', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', false],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; version=1.0.0', true],
  ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', true],
  [PROMETHEUS_3, true],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.5', true],
  ['application/openmetrics-text;q=0.4,text/plain;q=0.5', false],
  ['application/openmetrics-text;q=0.4,*/*', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=zero', false],
  ['application/openmetrics-textual', false],
  [',;,;q=1', false],
]

for (const [accept, expected] of CASES) {
  t.test(`Accept ${accept ?? '(absent)'} means ${expected ? 'OpenMetrics' : 'text'}`, async (t) => {
    t.equal(prefersOpenMetrics(accept), expected)
  })
}
