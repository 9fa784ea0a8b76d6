// The demo upstream's page for people: what arrived, with the identity headers first. Shows text only, whatever the text is.
import { type Markup, markup } from '../http/markup.ts'
import { toPage } from './page.ts'
import type { ReceivedHeader, ReceivedRequest } from './received-request.ts'

export function toDemoPage({ method, target, headers, body }: ReceivedRequest): string {
  const identity = headers.filter(({ decoded }) => decoded !== undefined)
  const others = headers.filter(({ decoded }) => decoded === undefined)
  const main = markup`<header>
<h1><code>${method} ${target}</code></h1>
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

const NAVIGATION = markup`<nav aria-label="Demo routes"><p>${PLACES.map(
  ([path, label], index) => markup`${index > 0 && ' · '}<a href="${path}">${label}</a>`,
)}</p></nav>`

const NOBODY = markup`<p class="note">Nobody the gateway knows: no identity header came along.</p>`

function toIdentityTable(headers: readonly ReceivedHeader[]): Markup {
  const rows = headers.map(({ name, value, decoded = [] }) => {
    const chips = decoded.map((member) => markup`<span class="chip">${member}</span>`)
    return markup`<tr><th scope="row">${name}</th><td>${chips}</td><td class="raw">${value}</td></tr>`
  })
  return toTable(['Header', 'Claim', 'As sent'], rows)
}

function toHeaderTable(headers: readonly ReceivedHeader[]): Markup {
  const rows = headers.map(
    ({ name, value }) => markup`<tr><th scope="row">${name}</th><td class="raw">${value}</td></tr>`,
  )
  return toTable(['Header', 'Value'], rows)
}

function toTable(columns: readonly string[], rows: readonly Markup[]): Markup {
  const head = columns.map((column) => markup`<th scope="col">${column}</th>`)
  return markup`<table><thead><tr>${head}</tr></thead><tbody>
${rows}
</tbody></table>`
}

function toBody({ bytes, text }: ReceivedRequest['body']): Markup {
  if (bytes === 0) return markup`<p class="note">None.</p>`
  const cut = bytes > Buffer.byteLength(text) ? ', the beginning' : ''
  return markup`<p class="note">${bytes} bytes${cut}:</p>
<pre>${text}</pre>`
}
