// The demo upstream's page for people: what arrived, with the identity headers first. Shows text only, whatever the text is.
import { escapeHtml } from './markup.ts'
import { toPage } from './page.ts'
import type { ReceivedHeader, ReceivedRequest } from './received-request.ts'

export function toDemoPage({ method, target, headers, body }: ReceivedRequest): string {
  const identity = headers.filter(({ decoded }) => decoded !== undefined)
  const others = headers.filter(({ decoded }) => decoded === undefined)
  const main = `<header>
<h1><code>${escapeHtml(`${method} ${target}`)}</code></h1>
<p>This is the demo upstream. The request below came through the gateway, as shown.</p>
${NAVIGATION}
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
</section>`
  return toPage(`${method} ${target} · demo upstream`, main, 'wide')
}

/** The demo routes of `poolgate dev`; the gateway's own path for signing out. */
const PLACES: readonly (readonly [path: string, label: string])[] = [
  ['/public/hello', 'Public'],
  ['/me', 'Who am I'],
  ['/orders', 'Orders'],
  ['/admin/', 'Admins'],
  ['/vault/', 'One-time code'],
  ['/google/', 'Google users'],
  ['/tenants/acme/', 'Acme'],
  ['/_poolgate/sign-out', 'Sign out'],
]

const NAVIGATION = `<nav aria-label="Demo routes"><p>${PLACES.map(
  ([path, label]) => `<a href="${path}">${label}</a>`,
).join(' · ')}</p></nav>`

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
