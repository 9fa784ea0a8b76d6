// The page for a request that no client can be told about: says what is wrong, and leads nowhere.
import type { Answer } from '../endpoint.ts'
import { markup } from '../../http/markup.ts'
import { toCardPage } from './page-parts.ts'

export function toErrorPage(status: number, problem: string, advice?: string): Answer {
  const main = markup`<div class="alert" role="alert"><p>${problem}</p></div>
${advice !== undefined && markup`<p class="note">${advice}</p>`}`
  return toCardPage('Something is wrong', main, { status, problem: true })
}
