// A browser without a screen: keeps cookies by origin, follows redirects to where it may, reads forms and sends them as people would.
export interface Shown {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly html: string
  /** Of h1. */
  readonly heading: string
  /** Of what is announced: problems and notices. */
  readonly alert: string
}

export interface FormBrowser {
  readonly cookies: Map<string, string>
  /** Follows redirects until a page of an origin that it may go to, or one that it may not. */
  open(url: string): Promise<Shown>
  /** Fills in the page's form that has all these fields (or this button) and sends it. */
  submit(page: Shown, values: Readonly<Record<string, string>>): Promise<Shown>
  /** Follows the link with this text. */
  follow(page: Shown, text: string): Promise<Shown>
}

/** @param home the only origin that it goes to; a redirect to another one is shown as it is */
export function createFormBrowser(home: string): FormBrowser {
  const cookies = new Map<string, string>()

  async function load(url: string, body?: URLSearchParams): Promise<Shown> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(cookie !== '' && { cookie }), ...(body && { origin: home }) },
      redirect: 'manual',
      ...(body && { body }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0(;|$)/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null) return toShown(url, answer, await answer.text())
    const next = new URL(location, url)
    await answer.body?.cancel()
    return next.origin === home ? load(next.href) : toShown(next.href, answer, '')
  }

  return {
    cookies,
    open: (url) => load(new URL(url, home).href),
    submit(page, values) {
      const form = formsOf(page.html).find(({ fields, buttons }) =>
        Object.keys(values).every((name) => name in fields || buttons.includes(name)),
      )
      if (form === undefined) throw new Error(`no form for ${Object.keys(values)} at ${page.url}`)
      const body = new URLSearchParams({ ...form.fields, ...values })
      return load(new URL(form.action, page.url).href, body)
    },
    follow(page, text) {
      const links = [...page.html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)]
      const [, href] = links.find(([, , shown = '']) => toText(shown) === text) ?? []
      if (href === undefined) throw new Error(`no link ${text} at ${page.url}`)
      return load(new URL(toText(href), page.url).href)
    },
  }
}

function toShown(url: string, { status, headers }: Response, html: string): Shown {
  const textOf = (pattern: RegExp) => toText(pattern.exec(html)?.[1] ?? '').trim()
  return {
    url,
    status,
    headers,
    html,
    heading: textOf(/<h1>(.*?)<\/h1>/s),
    alert: textOf(/<[^>]*(?:role="(?:alert|status)"|class="notice")[^>]*>(.*?)<\/(?:div|p)>/s),
  }
}

function formsOf(html: string) {
  return [...html.matchAll(/<form method="post" action="([^"]*)">(.*?)<\/form>/gs)].map(
    ([, action = '', inner = '']) => {
      const inputs = [...inner.matchAll(/<input [^>]*>/g)].map(([input]) => [
        /name="([^"]*)"/.exec(input)?.[1] ?? '',
        toText(/ value="([^"]*)"/.exec(input)?.[1] ?? ''),
      ])
      const buttons = [...inner.matchAll(/<button [^>]*name="([^"]*)"/g)].map(([, name]) => name)
      return { action: toText(action), fields: Object.fromEntries(inputs), buttons }
    },
  )
}

/** What a person reads. */
function toText(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
}
