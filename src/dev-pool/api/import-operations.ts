// The import of users from a CSV file, as four steps of the API and one upload between them. For operators.
import type { PoolParts } from '../pool-parts.ts'
import { type ApiResult, isApiError, toApiError } from '../api-error.ts'
import type { ImportJob } from './import-jobs.ts'
import { forPool } from './callers.ts'
import { type Input, type Operation, readText, readTexts } from './operation.ts'
import { readPage } from './page-of.ts'
import { toCsvHeader } from './user-csv.ts'
import { toSeconds } from './user-shape.ts'

type JobOperation = (options: PoolParts, job: ImportJob, input: Input) => ApiResult

export const IMPORT_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetCSVHeader: forPool(({ userPoolId, store }) => {
    const names = [...store.directory().users.values()].flatMap(({ attributes }) =>
      Object.keys(attributes).filter((name) => name.startsWith('custom:')),
    )
    return { body: { UserPoolId: userPoolId, CSVHeader: toCsvHeader(new Set(names)) } }
  }),
  CreateUserImportJob: forPool((options, input) => {
    const given = readTexts(input, 'JobName')
    if (isApiError(given)) return given
    const job = options.importJobs.create(
      given.JobName,
      readText(input, 'CloudWatchLogsRoleArn') ?? '',
    )
    return toAnswer(options, job)
  }),
  StartUserImportJob: forJob((options, job) => {
    const started = options.importJobs.start(job.id)
    // It has run by now, but that is told to who asks again: nobody may rely on a job without a wait.
    if (started !== undefined) {
      const { completedMs: _, message: __, ...pending } = started
      return toAnswer(options, { ...pending, counts: job.counts, status: 'Pending' })
    }
    return toApiError(
      'PreconditionNotMetException',
      job.status === 'Created'
        ? 'No CSV file has been uploaded for the job.'
        : `The job cannot be started: it is ${job.status}.`,
    )
  }),
  DescribeUserImportJob: forJob((options, job) => toAnswer(options, job)),
  ListUserImportJobs: forPool((options, input) => {
    const jobs = options.importJobs.list()
    const page = readPage(jobs, ({ id }) => id, input, 'PaginationToken', 'MaxResults')
    if (isApiError(page)) return page
    return {
      body: {
        UserImportJobs: page.members.map((job) => toJobType(options, job)),
        ...(page.next !== undefined && { PaginationToken: page.next }),
      },
    }
  }),
}

function forJob(run: JobOperation): Operation {
  return forPool((options, input) => {
    const given = readTexts(input, 'JobId')
    if (isApiError(given)) return given
    const job = options.importJobs.find(given.JobId)
    if (job !== undefined) return run(options, job, input)
    return toApiError('ResourceNotFoundException', `Import job ${given.JobId} does not exist.`)
  })
}

function toAnswer(options: PoolParts, job: ImportJob): ApiResult {
  return { body: { UserImportJob: toJobType(options, job) } }
}

function toJobType({ userPoolId }: PoolParts, job: ImportJob): object {
  const { startedMs, completedMs, counts } = job
  return {
    JobName: job.name,
    JobId: job.id,
    UserPoolId: userPoolId,
    PreSignedUrl: job.uploadUrl,
    CreationDate: toSeconds(job.createdMs),
    ...(startedMs !== undefined && { StartDate: toSeconds(startedMs) }),
    ...(completedMs !== undefined && { CompletionDate: toSeconds(completedMs) }),
    Status: job.status,
    CloudWatchLogsRoleArn: job.role,
    ImportedUsers: counts.imported,
    SkippedUsers: counts.skipped,
    FailedUsers: counts.failed,
    CompletionMessage: job.message,
  }
}
