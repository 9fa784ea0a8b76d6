// A real Chromium, headless, with nothing kept from one context to the next. Where there is none the test skips aloud.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Undefined where this machine has none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':')
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync)
}

export interface TestBrowser {
  /** A browser of somebody who was never here; `page` is its first tab. */
  open(): Promise<{ readonly context: BrowserContext; readonly page: Page }>
  close(): Promise<void>
}

export async function startBrowser(executablePath: string): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  return {
    async open() {
      const context = await browser.newContext({ locale: 'en-GB' })
      context.setDefaultTimeout(15_000)
      return { context, page: await context.newPage() }
    },
    close: () => browser.close(),
  }
}
