// The demo upstream's page for people: what arrived, with the identity headers first. Shows text only, whatever the text is.
import { createHash } from 'node:crypto'
import type { ReceivedHeader, ReceivedRequest } from './received-request.ts'

const STYLE = `
:root { color-scheme: light dark; --text: #1c2128; --soft: #59636e; --page: #f6f7f9; --card: #fff; --line: #d9dee4; --mark: #0b6b4f; --tint: #e3f4ed }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9ef; --soft: #9aa5b1; --page: #0f1318; --card: #171c23; --line: #2c343e; --mark: #6cd6ae; --tint: #14302a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
header p, .note { color: var(--soft); margin: .25rem 0 0 }
h1 { margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 0 0 .75rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin-top: 1.5rem }
section.identity { border-color: var(--mark) }
table { border-collapse: collapse; width: 100%; text-align: left }
th, td { padding: .45rem 1rem .45rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; font-weight: 600 }
tbody th { font-weight: 500; white-space: nowrap }
code, pre, tbody th, .raw { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
.chip { display: inline-block; background: var(--tint); color: var(--mark); border-radius: .4rem; padding: 0 .5rem; margin: 0 .35rem .2rem 0; font-weight: 600 }
.raw { color: var(--soft) }
h1 code { font-size: 1.4rem; font-weight: 600 }
@media (max-width: 40rem) { th, tbody th { white-space: normal; overflow-wrap: break-word } }
`

/** For the page that toDemoPage makes: nothing may run or load but its own style sheet. */
export const DEMO_PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function toDemoPage({ method, target, headers, body }: ReceivedRequest): string {
  const identity = headers.filter(({ decoded }) => decoded !== undefined)
  const others = headers.filter(({ decoded }) => decoded === undefined)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${method} ${target}`)} · demo upstream</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1><code>${escapeHtml(`${method} ${target}`)}</code></h1>
<p>This is the demo upstream. The request below came through the gateway, as shown.</p>
</header>
<section class="identity" aria-labelledby="identity">
<h2 id="identity">Who is calling</h2>
${identity.length > 0 ? toIdentityTable(identity) : NOBODY}
</section>
<section aria-labelledby="headers">
<h2 id="headers">Other header fields</h2>
${toHeaderTable(others)}
</section>
<section aria-labelledby="body">
<h2 id="body">Body</h2>
${toBody(body)}
</section>
</main>
</body>
</html>
`
}

const NOBODY = '<p class="note">Nobody the gateway knows: no identity header came along.</p>'

function toIdentityTable(headers: readonly ReceivedHeader[]): string {
  const rows = headers.map(({ name, value, decoded = [] }) => {
    const chips = decoded
      .map((member) => `<span class="chip">${escapeHtml(member)}</span>`)
      .join('')
    return `<tr><th scope="row">${escapeHtml(name)}</th><td>${chips}</td><td class="raw">${escapeHtml(value)}</td></tr>`
  })
  return toTable(['Header', 'Claim', 'As sent'], rows)
}

function toHeaderTable(headers: readonly ReceivedHeader[]): string {
  const rows = headers.map(
    ({ name, value }) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td class="raw">${escapeHtml(value)}</td></tr>`,
  )
  return toTable(['Header', 'Value'], rows)
}

function toTable(columns: readonly string[], rows: readonly string[]): string {
  const head = columns.map((column) => `<th scope="col">${column}</th>`).join('')
  return `<table><thead><tr>${head}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>`
}

function toBody({ bytes, text }: ReceivedRequest['body']): string {
  if (bytes === 0) return '<p class="note">None.</p>'
  const cut = bytes > Buffer.byteLength(text) ? ', the beginning' : ''
  return `<p class="note">${bytes} bytes${cut}:</p>\n<pre>${escapeHtml(text)}</pre>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
