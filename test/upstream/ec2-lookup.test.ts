// Running instances of EC2, by tag or by Auto Scaling group, as moto's EC2 answers.
import { spawn, spawnSync } from 'node:child_process'
import {
  CreateTagsCommand,
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import t from 'tap'
import { createEc2LookUp, type Ec2Settings } from '../../src/upstream/ec2-lookup.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-ports.ts'

const REGION = 'eu-west-1'
const hasMoto = spawnSync('python3', ['-c', 'import moto.server']).status === 0
const withMoto = hasMoto ? {} : { skip: 'python3 has no moto.server: no EC2 was asked' }

/** The SDK finds these by its own rules. */
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })

t.test('what moto runs', withMoto, async (t) => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const moto = spawn(
    'python3',
    ['-m', 'moto.server', '-H', '127.0.0.1', '-p', new URL(endpoint).port],
    {
      stdio: 'ignore',
    },
  )
  const ended = new Promise((resolve) => moto.on('exit', resolve))
  const client = new EC2Client({ region: REGION, endpoint })
  t.teardown(async () => {
    client.destroy()
    moto.kill()
    await ended
  })
  await eventually(
    'moto',
    () =>
      fetch(`${endpoint}/moto-api/`).then(
        () => true,
        () => false,
      ),
    30_000,
  )

  const run = async (count: number, name: string) => {
    const ran = await client.send(
      new RunInstancesCommand({ ImageId: 'ami-12c6146b', MinCount: count, MaxCount: count }),
    )
    const ids = (ran.Instances ?? []).map(({ InstanceId = '' }) => InstanceId)
    await client.send(
      new CreateTagsCommand({
        Resources: ids,
        Tags: [
          { Key: 'Name', Value: name },
          { Key: 'Stage', Value: 'prod' },
        ],
      }),
    )
    return {
      ids,
      addresses: (ran.Instances ?? []).map(({ PrivateIpAddress = '' }) => PrivateIpAddress),
    }
  }
  const ask = async (settings: Partial<Ec2Settings>, pageSize?: number) => {
    const lookUp = createEc2LookUp(
      {
        region: REGION,
        scheme: 'http:',
        port: 8080,
        address: 'private',
        endpoint,
        ...settings,
      },
      pageSize,
    )
    try {
      return await lookUp.ask(new AbortController().signal)
    } finally {
      lookUp.close()
    }
  }
  const origins = async (settings: Partial<Ec2Settings>, pageSize?: number) =>
    (await ask(settings, pageSize)).targets.map(({ target }) => target).sort()
  const toOrigins = (addresses: readonly string[]) =>
    addresses.map((ip) => `http://${ip}:8080`).sort()

  const orders = await run(3, 'orders')
  await run(2, 'others')

  await t.test('instances with every tag are targets, and others are not', async (t) => {
    t.same(await origins({ tags: { Name: 'orders' } }), toOrigins(orders.addresses))
    t.same(await origins({ tags: { Name: 'orders', Stage: 'prod' } }), toOrigins(orders.addresses))
    t.same(await origins({ tags: { Name: 'orders', Stage: 'test' } }), [])
    t.equal((await origins({ tags: { Stage: 'prod' } })).length, 5)
  })

  await t.test('an instance that does not run is none', async (t) => {
    const [stopped = ''] = orders.ids
    await client.send(new StopInstancesCommand({ InstanceIds: [stopped] }))
    t.same(await origins({ tags: { Name: 'orders' } }), toOrigins(orders.addresses.slice(1)))
  })

  await t.test('an instance without such an address is left out, and told', async (t) => {
    const { targets, leftOut } = await ask({ tags: { Name: 'orders' }, address: 'ipv6' })
    t.same(targets, [])
    t.same(
      [...leftOut].sort(),
      orders.ids
        .slice(1)
        .map((id) => `${id} has no ipv6 address`)
        .sort(),
    )
    const open = await ask({
      tags: { Name: 'orders' },
      address: 'public',
      scheme: 'https:',
      port: 443,
    })
    for (const { target } of open.targets) t.match(target, /^https:\/\/[\d.]+$/)
    t.equal(open.targets.length, 2)
  })

  await t.test('an Auto Scaling group is its instances', async (t) => {
    const call = async (parameters: Record<string, string>) => {
      const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/autoscaling/aws4_request, SignedHeaders=host, Signature=x`
      const body = new URLSearchParams({ Version: '2011-01-01', ...parameters })
      const response = await fetch(endpoint, { method: 'POST', headers: { authorization }, body })
      t.equal(response.status, 200, await response.text())
    }
    await call({
      Action: 'CreateLaunchConfiguration',
      LaunchConfigurationName: 'lc',
      ImageId: 'ami-12c6146b',
      InstanceType: 't2.micro',
    })
    await call({
      Action: 'CreateAutoScalingGroup',
      AutoScalingGroupName: 'fleet',
      LaunchConfigurationName: 'lc',
      MinSize: '4',
      MaxSize: '4',
      'AvailabilityZones.member.1': `${REGION}a`,
    })
    t.equal((await origins({ autoScalingGroup: 'fleet' })).length, 4)
    t.same(await origins({ autoScalingGroup: 'fleet2' }), [])
  })

  await t.test('all pages are read', async (t) => {
    // A page of moto's is so many reservations.
    for (let i = 0; i < 7; i++) await run(1, 'many')
    const first = await client.send(new DescribeInstancesCommand({ MaxResults: 5 }))
    t.ok(first.NextToken, 'moto has another one')
    t.equal((await origins({ tags: { Name: 'many' } }, 5)).length, 7)
  })
})

t.test('an API that does not answer is no answer, and a look can be given up', async (t) => {
  const lookUp = createEc2LookUp({
    region: REGION,
    scheme: 'http:',
    port: 1,
    address: 'private',
    tags: { a: 'b' },
    endpoint: `http://127.0.0.1:${await freePort()}`,
  })
  t.teardown(lookUp.close)
  await t.rejects(lookUp.ask(AbortSignal.abort()))
  await t.rejects(lookUp.ask(new AbortController().signal), /ECONNREFUSED/)
})
