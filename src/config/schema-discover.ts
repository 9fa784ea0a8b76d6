// Settings that find an upstream's targets by DNS or EC2.
import { z } from 'zod'
import { count, duration, expected, flag, oneOf, parsedText, text } from './fields.ts'
import { REGION, REGION_PATTERN } from './region.ts'
import {
  isTrustworthyUrl,
  parseNameServer,
  parseNamedOrigin,
  parseServiceOrigin,
} from './web-address.ts'

const HOUR_MS = 3_600_000
const NAME_REFRESH_MS = 5_000
const EC2_REFRESH_MS = 30_000

const ec2 = z
  .strictObject({
    region: text(REGION, REGION_PATTERN).describe('The AWS region that the instances are in.'),
    scheme: oneOf(['http', 'https']).prefault('http').describe('What the targets speak.'),
    port: count(1, 65_535).describe('The port of every target.'),
    autoScalingGroup: text('the name of an Auto Scaling group')
      .optional()
      .describe('The group whose running instances are the targets. Either this or `tags`.'),
    tags: z
      .record(text('the key of a tag'), text('the value of a tag'), {
        error: expected('a mapping of tag to value'),
      })
      .optional()
      .describe(
        'Tags that an instance has to have, every one; in values `*` and `?` stand for any text or character.',
      ),
    address: oneOf(['private', 'public', 'ipv6'])
      .prefault('private')
      .describe('Which address of an instance is used.'),
    endpoint: text('an https URL (plain http on loopback only)')
      .refine(isTrustworthyUrl, { error: expected('an https URL (plain http on loopback only)') })
      .optional()
      .describe("Where the EC2 API is, such as a VPC endpoint. Default: the region's own."),
  })
  .transform(({ scheme, ...rest }) => ({ ...rest, scheme: `${scheme}:` }))
  .describe(
    "Running instances of EC2. Credentials are found by the AWS SDK's own rules; `ec2:DescribeInstances` has to be allowed.",
  )

const NAMED = 'an http or https origin with a name, such as http://orders.internal:8080'
const SERVICE = 'a service by name and without port, such as http://_http._tcp.orders.internal'
const SERVER = 'the address of a name server, such as 10.0.0.2 or 10.0.0.2:53 or [fd00::2]:53'

export const discover = z
  .strictObject(
    {
      dns: parsedText(NAMED, /^https?:\/\//, parseNamedOrigin)
        .optional()
        .meta({ title: 'origin' })
        .describe('Every IPv4 and IPv6 address of the name is a target.'),
      srv: parsedText(SERVICE, /^https?:\/\//, parseServiceOrigin)
        .optional()
        .meta({ title: 'origin' })
        .describe(
          'Every address of every SRV record of the lowest priority is a target, at its port. Weights are ignored.',
        ),
      ec2: ec2.optional(),
      refresh: duration(100, HOUR_MS)
        .optional()
        .describe(
          'Time between two looks; DNS answers that hold longer are kept for as long, up to 5 minutes. Default: `5s`, and `30s` with `ec2`.',
        ),
      servers: z
        .array(parsedText(SERVER, /^[[0-9a-fA-F]/, parseNameServer), {
          error: expected('a list of name servers'),
        })
        .optional()
        .describe("Name servers to ask. Default: the machine's."),
      allowLinkLocal: flag()
        .optional()
        .describe(
          'Whether names may lead to link-local addresses, where a cloud has its metadata service. Default: `false`.',
        ),
    },
    { error: expected('a mapping') },
  )
  .transform(({ refresh, servers = [], allowLinkLocal = false, ...rest }) => ({
    ...rest,
    servers,
    allowLinkLocal,
    refreshMs: refresh ?? (rest.ec2 === undefined ? NAME_REFRESH_MS : EC2_REFRESH_MS),
  }))
  .describe('How targets are found while the gateway runs: one of `dns`, `srv` and `ec2`.')
