#!/usr/bin/env bash
# Installs every peer that the package managers have; run it again at any time. Touches nothing but the system's packages,
# bench/node_modules and the tools directory, and ends with the names of what it could not install.
set -uo pipefail
cd "$(dirname "$0")"

. ../.ci/peers.sh
oauth2_proxy_version=v7.8.1

# Built in a module of its own, so that nothing but the pinned version has to be looked up.
oauth2_proxy() {
  "$tools/oauth2-proxy" --version 2>/dev/null | grep -q "$oauth2_proxy_version" && return 0
  command -v go >/dev/null || { echo 'no go here'; return 1; }
  local module=github.com/oauth2-proxy/oauth2-proxy/v7 dir
  dir=$(mktemp -d)
  (
    cd "$dir" &&
      go mod init poolgate-bench 2>/dev/null &&
      go mod edit -require="$module@$oauth2_proxy_version" &&
      go build -mod=mod -ldflags "-X $module/pkg/version.VERSION=$oauth2_proxy_version" -o "$tools/oauth2-proxy" "$module"
  )
  local result=$?
  rm -rf "$dir"
  return $result
}

want nginx apt_package nginx
want haproxy apt_package haproxy
want gcc apt_package gcc
want valgrind apt_package valgrind
want taskset apt_package taskset util-linux
want envoy envoy
want oauth2-proxy oauth2_proxy
want 'fastify, fast-jwt, aws-jwt-verify' npm ci --ignore-scripts --no-audit --no-fund

if [ ${#missing[@]} -gt 0 ]; then
  printf '\nnot installed:\n'
  printf -- '- %s\n' "${missing[@]}"
  exit 1
fi
printf '\nall installed\n'
