// The import job by API, as an operator runs it: header, job, upload, start, outcome, and a first sign-in.
import t from 'tap'
import { GOOD_PASSWORD, refused, startPoolClient } from '../../support/pool-client.ts'

const client = await startPoolClient(t, 'users: {old: {password: x}}')
const { sdk, clock, UserPoolId, ClientId, code, signIn } = client
const create = async (JobName = 'job') => {
  const input = {
    UserPoolId,
    JobName,
    CloudWatchLogsRoleArn: 'arn:aws:iam::123456789012:role/logs',
  }
  return (await sdk.createUserImportJob(input)).UserImportJob ?? {}
}
const put = async (url: string | undefined, body: string) =>
  (await fetch(url ?? '', { method: 'PUT', body })).status
const describe = async (JobId: string | undefined) =>
  (await sdk.describeUserImportJob({ UserPoolId, JobId })).UserImportJob
const start = (JobId: string | undefined) => sdk.startUserImportJob({ UserPoolId, JobId })

t.test('users come in from a file that has the header Cognito gives', async (t) => {
  const { CSVHeader: header = [] } = await sdk.getCSVHeader({ UserPoolId })
  const line = (values: Record<string, string>) => header.map((name) => values[name] ?? '').join()
  const mail = (username: string, email_verified = 'true') =>
    line({
      'cognito:username': username,
      'cognito:mfa_enabled': 'false',
      email: `${username}@example.com`,
      email_verified,
    })
  const csv = [header.join(), mail('ann'), mail('bob', 'false'), mail('old'), ''].join('\n')
  const job = await create()
  t.match(job, { JobName: 'job', Status: 'Created', JobId: /^import-[0-9a-zA-Z-]+$/ })
  t.equal(await put(job.PreSignedUrl, csv), 200)
  t.match((await start(job.JobId)).UserImportJob, { Status: 'Pending', ImportedUsers: 0 })
  t.match(await describe(job.JobId), {
    Status: 'Succeeded',
    ImportedUsers: 1,
    SkippedUsers: 1,
    FailedUsers: 1,
    CompletionMessage: 'Import Job Completed Successfully.',
    StartDate: new Date(clock.now()),
    CompletionDate: new Date(clock.now()),
  })

  await t.rejects(signIn('ann', 'any'), refused('PasswordResetRequiredException'))
  await sdk.forgotPassword({ ClientId, Username: 'ann' })
  const ConfirmationCode = code('ann')
  const Password = GOOD_PASSWORD
  await sdk.confirmForgotPassword({ ClientId, Username: 'ann', ConfirmationCode, Password })
  await t.resolves(signIn('ann', GOOD_PASSWORD))
})

t.test('a job without a file does not start, and none starts twice', async (t) => {
  const job = await create()
  await t.rejects(
    start(job.JobId),
    refused('PreconditionNotMetException', 'No CSV file has been uploaded for the job.'),
  )
  await put(job.PreSignedUrl, 'cognito:username,cognito:mfa_enabled\nbob,maybe')
  await start(job.JobId)
  t.match(await describe(job.JobId), {
    Status: 'Succeeded',
    FailedUsers: 1,
    CompletionMessage: 'Too many users have failed or been skipped during the import.',
  })
  await t.rejects(
    start(job.JobId),
    refused('PreconditionNotMetException', 'The job cannot be started: it is Succeeded.'),
  )
  t.equal(await put(job.PreSignedUrl, 'x'), 403, 'nothing is uploaded afterwards')
})

t.test('a file that cannot be read fails the job', async (t) => {
  const job = await create()
  await put(job.PreSignedUrl, 'name\nann')
  await start(job.JobId)
  t.match(await describe(job.JobId), {
    Status: 'Failed',
    CompletionMessage: 'The header of the CSV file has no cognito:username.',
  })
})

t.test('an upload counts for fifteen minutes, and only at its own URL', async (t) => {
  const [early, late] = [await create(), await create()]
  clock.stepWall(899_999)
  t.equal(await put(early.PreSignedUrl, 'x'), 200)
  clock.stepWall(1)
  t.equal(await put(late.PreSignedUrl, 'x'), 403)
  t.equal(await put(`${early.PreSignedUrl}x`, 'x'), 403)
  t.match(await describe(late.JobId), { Status: 'Expired' })
  t.match(await describe(early.JobId), { Status: 'Created' })
  await t.rejects(start(late.JobId), refused('PreconditionNotMetException', /uploaded|Expired/))
})

t.test('uploads are bounded at 4 MiB', async (t) => {
  const { PreSignedUrl } = await create()
  t.equal(await put(PreSignedUrl, 'x'.repeat(4096 * 1024)), 200)
  t.equal(await put(PreSignedUrl, 'x'.repeat(4096 * 1024 + 1)), 413)
})

t.test('jobs are listed by pages, and unknown ones are refused', async (t) => {
  const { UserImportJobs: jobs, PaginationToken } = await sdk.listUserImportJobs({
    UserPoolId,
    MaxResults: 2,
  })
  t.equal(jobs?.length, 2)
  const rest = await sdk.listUserImportJobs({ UserPoolId, MaxResults: 60, PaginationToken })
  t.equal(rest.UserImportJobs?.length, 4)
  await t.rejects(start('import-0'), refused('ResourceNotFoundException'))
})
