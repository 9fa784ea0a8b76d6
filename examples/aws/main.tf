# What docs/aws.md needs of AWS: user pool, app client, identity pool, roles and a bucket of "my files".
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.12"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

variable "domain_prefix" {
  type        = string
  description = "Prefix of the managed login's domain; it has to be free in the region."
}

variable "origin" {
  type    = string
  default = "https://app.example.com"
}

resource "aws_s3_bucket" "files" {
  bucket_prefix = "poolgate-files-"
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_cognito_user_pool" "main" {
  name                     = "poolgate"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]

  schema {
    name                = "department"
    attribute_data_type = "String"
    mutable             = true

    string_attribute_constraints {
      min_length = "0"
      max_length = "64"
    }
  }
}

resource "aws_cognito_user_pool_domain" "main" {
  user_pool_id          = aws_cognito_user_pool.main.id
  domain                = var.domain_prefix
  managed_login_version = 2
}

resource "aws_cognito_user_pool_client" "web" {
  user_pool_id                         = aws_cognito_user_pool.main.id
  name                                 = "web"
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email", "profile"]
  callback_urls                        = ["${var.origin}/_poolgate/callback"]
  logout_urls                          = ["${var.origin}/_poolgate/signed-out"]
  supported_identity_providers         = ["COGNITO"]
  # The second one is for the commands of docs/aws.md; leave it out in production.
  explicit_auth_flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
  # What a role is chosen by, or a tag made of, must not be for users themselves to write.
  write_attributes              = ["email", "name"]
  id_token_validity             = 15
  access_token_validity         = 15
  refresh_token_validity        = 1
  enable_token_revocation       = true
  prevent_user_existence_errors = "ENABLED"

  token_validity_units {
    id_token      = "minutes"
    access_token  = "minutes"
    refresh_token = "days"
  }

  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = 60
  }
}

# Managed login shows no page for an app client without a style.
resource "aws_cognito_managed_login_branding" "web" {
  user_pool_id                = aws_cognito_user_pool.main.id
  client_id                   = aws_cognito_user_pool_client.web.id
  use_cognito_provided_values = true
}

resource "aws_cognito_identity_pool" "main" {
  identity_pool_name               = "poolgate"
  allow_unauthenticated_identities = false
  allow_classic_flow               = false

  cognito_identity_providers {
    provider_name           = aws_cognito_user_pool.main.endpoint
    client_id               = aws_cognito_user_pool_client.web.id
    server_side_token_check = true
  }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "main" {
  identity_pool_id       = aws_cognito_identity_pool.main.id
  identity_provider_name = aws_cognito_user_pool.main.endpoint
  use_defaults           = false
  principal_tags         = { sub = "sub" }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

    principals {
      type        = "Federated"
      identifiers = ["cognito-identity.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "cognito-identity.amazonaws.com:aud"
      values   = [aws_cognito_identity_pool.main.id]
    }

    condition {
      test     = "ForAnyValue:StringLike"
      variable = "cognito-identity.amazonaws.com:amr"
      values   = ["authenticated"]
    }
  }
}

# By the identity id, or by the token's sub: keep the one that you use.
data "aws_iam_policy_document" "my_files" {
  statement {
    sid     = "MyFiles"
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = [
      "${aws_s3_bucket.files.arn}/identities/$${cognito-identity.amazonaws.com:sub}/*",
      "${aws_s3_bucket.files.arn}/home/$${aws:PrincipalTag/sub}/*",
    ]
  }

  statement {
    sid       = "ListMyFiles"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.files.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = [
        "identities/$${cognito-identity.amazonaws.com:sub}/*",
        "home/$${aws:PrincipalTag/sub}/*",
      ]
    }
  }
}

data "aws_iam_policy_document" "shared_files" {
  source_policy_documents = [data.aws_iam_policy_document.my_files.json]

  statement {
    sid       = "SharedFiles"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.files.arn}/shared/*"]
  }
}

resource "aws_iam_role" "users" {
  name_prefix        = "poolgate-users-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "users" {
  role   = aws_iam_role.users.id
  policy = data.aws_iam_policy_document.my_files.json
}

resource "aws_iam_role" "editors" {
  name_prefix        = "poolgate-editors-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "editors" {
  role   = aws_iam_role.editors.id
  policy = data.aws_iam_policy_document.shared_files.json
}

resource "aws_cognito_user_group" "editors" {
  user_pool_id = aws_cognito_user_pool.main.id
  name         = "editors"
  precedence   = 10 # the lowest of a user's groups gives cognito:preferred_role
  role_arn     = aws_iam_role.editors.arn
}

resource "aws_cognito_identity_pool_roles_attachment" "main" {
  identity_pool_id = aws_cognito_identity_pool.main.id
  roles            = { authenticated = aws_iam_role.users.arn }

  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.main.endpoint}:${aws_cognito_user_pool_client.web.id}"
    type                      = "Token"
    ambiguous_role_resolution = "AuthenticatedRole" # users without a group; Deny gives them nothing
  }
}

output "user_pool_id" {
  value = aws_cognito_user_pool.main.id
}

output "client_id" {
  value = aws_cognito_user_pool_client.web.id
}

output "identity_pool_id" {
  value = aws_cognito_identity_pool.main.id
}

output "bucket" {
  value = aws_s3_bucket.files.id
}
