// Everything that is measured, in the order of the tables.
import type { CheckedContender } from '../refusals.ts'
import { envoyJwt } from './envoy.ts'
import { fastifyAwsJwtVerify, fastifyFastJwt } from './fastify.ts'
import { haproxy, haproxyJwt } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { nginxAuthRequest } from './nginx-auth-request.ts'
import { oauth2Proxy } from './oauth2-proxy.ts'
import { poolgate, poolgateUndici } from './poolgate.ts'

export const contenders: readonly CheckedContender[] = [
  poolgate,
  poolgateUndici,
  haproxy,
  haproxyJwt,
  nginx,
  nginxAuthRequest,
  envoyJwt,
  fastifyFastJwt,
  fastifyAwsJwtVerify,
  oauth2Proxy,
]
