// Import jobs: a CSV file of users, uploaded to a secret URL, then taken in line by line. Passwords are never imported.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { UserStore } from '../user-store.ts'
import { type ImportCounts, importUsers } from './user-csv.ts'

export type JobStatus = 'Created' | 'Expired' | 'Failed' | 'Pending' | 'Succeeded'

export interface ImportJob {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly uploadUrl: string
  readonly status: JobStatus
  readonly createdMs: number
  readonly startedMs?: number
  readonly completedMs?: number
  readonly counts: ImportCounts
  readonly message?: string
}

export interface ImportJobs {
  create(name: string, role: string): ImportJob
  find(id: string): ImportJob | undefined
  /** Newest first. */
  list(): readonly ImportJob[]
  /** False: no such URL, or not any more. */
  upload(secret: string, csv: string): boolean
  /** Undefined: nothing was uploaded, or the job has run. */
  start(id: string): ImportJob | undefined
}

export const IMPORT_PATH = '/_dev/import'
/** As long as Cognito's upload URL counts. */
const UPLOAD_LIFE_MS = 900_000
const NO_COUNTS: ImportCounts = { imported: 0, skipped: 0, failed: 0 }
/** The oldest go first. */
const MAX_JOBS = 100

interface Kept {
  readonly secret: string
  job: ImportJob
  csv?: string
}

export function createImportJobs(
  { clock, store }: { readonly clock: Clock; readonly store: UserStore },
  origin: string,
): ImportJobs {
  const jobs = new Map<string, Kept>()

  function current(kept: Kept): ImportJob {
    const { job } = kept
    const isLate = clock.now() >= job.createdMs + UPLOAD_LIFE_MS
    if (job.status !== 'Created' || kept.csv !== undefined || !isLate) return job
    return { ...job, status: 'Expired', message: 'The upload URL has expired.' }
  }

  return {
    create(name, role) {
      const [id, secret] = [`import-${randomUUID()}`, randomBytes(32).toString('base64url')]
      const job: ImportJob = {
        id,
        name,
        role,
        uploadUrl: `${origin}${IMPORT_PATH}?signature=${secret}`,
        status: 'Created',
        createdMs: clock.now(),
        counts: NO_COUNTS,
      }
      jobs.set(id, { secret, job })
      const [oldest = ''] = jobs.keys()
      if (jobs.size > MAX_JOBS) jobs.delete(oldest)
      return job
    },
    find(id) {
      const kept = jobs.get(id)
      return kept && current(kept)
    },
    list: () => [...jobs.values()].map(current).reverse(),
    upload(secret, csv) {
      const kept = [...jobs.values()].find((job) => job.secret === secret)
      if (kept === undefined || clock.now() >= kept.job.createdMs + UPLOAD_LIFE_MS) return false
      if (kept.job.status !== 'Created') return false
      kept.csv = csv
      return true
    },
    start(id) {
      const kept = jobs.get(id)
      if (kept?.csv === undefined || kept.job.status !== 'Created') return undefined
      const startedMs = clock.now()
      const result = importUsers(store, kept.csv)
      const isRead = typeof result !== 'string'
      kept.job = {
        ...kept.job,
        status: isRead ? 'Succeeded' : 'Failed',
        startedMs,
        completedMs: clock.now(),
        counts: isRead ? result : NO_COUNTS,
        message: isRead ? toMessage(result) : result,
      }
      return kept.job
    },
  }
}

function toMessage({ imported, skipped, failed }: ImportCounts): string {
  return imported === 0 && skipped + failed > 0
    ? 'Too many users have failed or been skipped during the import.'
    : 'Import Job Completed Successfully.'
}
