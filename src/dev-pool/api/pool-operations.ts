// What the pool says of itself and its app clients. For operators; nothing here can be changed.
import type { PoolParts } from '../pool-parts.ts'
import { isApiError, missingParameter } from '../api-error.ts'
import { STANDARD_ATTRIBUTES } from '../attributes.ts'
import type { AppClient } from '../clients.ts'
import { forPool, noClient } from './callers.ts'
import type { Operation } from './operation.ts'
import { readPage } from './page-of.ts'

export const POOL_OPERATIONS: Readonly<Record<string, Operation>> = {
  DescribeUserPool: forPool(({ userPoolId, store }) => ({
    body: {
      UserPool: {
        Id: userPoolId,
        Name: POOL_NAME,
        Policies: {
          PasswordPolicy: {
            MinimumLength: 8,
            RequireLowercase: true,
            RequireNumbers: true,
            RequireSymbols: true,
            RequireUppercase: true,
            TemporaryPasswordValidityDays: 7,
          },
        },
        AliasAttributes: ['email', 'phone_number'],
        AutoVerifiedAttributes: ['email', 'phone_number'],
        MfaConfiguration: 'OPTIONAL',
        UsernameConfiguration: { CaseSensitive: true },
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: false },
        SchemaAttributes: STANDARD_ATTRIBUTES.map((name) => ({ Name: name })),
        EstimatedNumberOfUsers: store.directory().users.size,
      },
    },
  })),
  ListUserPoolClients: forPool((options, input) => {
    const page = readPage(options.clients.list(), ({ id }) => id, input, 'NextToken', 'MaxResults')
    if (isApiError(page)) return page
    return {
      body: {
        UserPoolClients: page.members.map(({ id }) => toClientFacts(options, id)),
        ...(page.next !== undefined && { NextToken: page.next }),
      },
    }
  }),
  DescribeUserPoolClient: forPool((options, input) => {
    const { ClientId: id } = input
    if (typeof id !== 'string') return missingParameter('ClientId')
    const client = options.clients.find(id)
    return client === undefined
      ? noClient(id)
      : { body: { UserPoolClient: toClientType(options, client) } }
  }),
}

function toClientFacts({ userPoolId }: PoolParts, id: string) {
  return { ClientId: id, UserPoolId: userPoolId, ClientName: id.replace(/^0devclient0*/, 'dev-') }
}

function toClientType(options: PoolParts, client: AppClient): object {
  const { id, secret, grantTypes, rotationGraceMs } = client
  const isCode = grantTypes.includes('authorization_code')
  return {
    ...toClientFacts(options, id),
    ...(secret !== undefined && { ClientSecret: secret }),
    ExplicitAuthFlows:
      id === options.clientId
        ? ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_PASSWORD_AUTH']
        : [],
    AllowedOAuthFlows: [
      ...(isCode ? ['code'] : []),
      ...(grantTypes.includes('client_credentials') ? ['client_credentials'] : []),
    ],
    AllowedOAuthFlowsUserPoolClient: isCode,
    PreventUserExistenceErrors: 'ENABLED',
    EnableTokenRevocation: true,
    RefreshTokenRotation: {
      Feature: rotationGraceMs === undefined ? 'DISABLED' : 'ENABLED',
      RetryGracePeriodSeconds: rotationGraceMs === undefined ? undefined : rotationGraceMs / 1000,
    },
  }
}

const POOL_NAME = 'dev-pool'
