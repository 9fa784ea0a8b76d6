// What all pages of Poolgate look like: one card, light or dark as the browser likes it, no script, nothing loaded.
import { createHash } from 'node:crypto'
import { type Markup, markup } from '../http/markup.ts'

const STYLE = `:root{color-scheme:light dark;--ground:#f2f4f7;--card:#fff;--text:#17202e;--soft:#566176;--line:#d8dee8;--accent:#1d56c4;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#10151d;--card:#19202b;--text:#e8edf5;--soft:#a2aec0;--line:#303b4b;--accent:#8ab4ff;--on:#0d1420}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:32rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);border-radius:.9rem;box-shadow:0 1rem 2.5rem rgb(10 20 40/.08);overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
p,ul{margin:0 0 1rem}
ul{padding-left:1.2rem}
li{margin:.3rem 0}
p,li{text-wrap:pretty}
main>:last-child{margin-bottom:0}
code{font:.9em ui-monospace,monospace}
.soft{color:var(--soft);font-size:.92rem}
blockquote{margin:0 0 1rem;padding:.6rem .9rem;border-left:.25rem solid var(--line);color:var(--soft)}
.actions{margin:1.5rem 0 0;display:flex;flex-wrap:wrap;gap:.75rem}
a{color:var(--accent)}
.button{display:inline-block;padding:.6rem 1.2rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button:hover{filter:brightness(1.08)}
a:focus-visible,button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
`

/** For the Content-Security-Policy: this style, and no other. */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`

/** Nothing may stand beside the style in its element, or its hash would be another. */
export function toDocument(title: string, content: Markup): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>${{ html: STYLE }}</style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`.html
}
