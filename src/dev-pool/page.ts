// The frame of every page that the dev pool and its demo upstream show, and the policy under which nothing in it can run or load.
import { createHash } from 'node:crypto'
import { type Markup, markup } from '../http/markup.ts'
import { PAGE_STYLE } from './page-style.ts'

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "frame-ancestors 'none'",
]

/** For a page without forms. */
export const PAGE_POLICY: string = [...POLICY, "form-action 'none'"].join('; ')

/**
 * For a page whose form leads to an application in the end: browsers hold every redirect after a form against this list,
 * those of the application too.
 */
export const FORM_POLICY: string = [
  ...POLICY,
  "form-action 'self' http://127.0.0.1:* http://localhost:* http://*.localhost:* https:",
].join('; ')

export function toPage(title: string, main: Markup, kind: 'card' | 'wide'): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${{ html: PAGE_STYLE }}</style>
</head>
<body>
<main class="${kind}">
${main}
</main>
</body>
</html>
`.html
}
