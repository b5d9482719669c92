#!/usr/bin/env bash
# An independent gRPC client for tests: `python.sh install` prepares it under target/, `python.sh run ADDRESS` calls a server
# that serves the facts of `tests/conformance.rs`. Nothing outside of target/ is touched. Needs python3 and a package
# registry.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv="${CARGO_TARGET_DIR:-$here/../../target}/conformance-python"

case "${1:-}" in
install)
  [ -f "$venv/installed" ] && exit 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check \
    'grpcio==1.85.1' 'grpcio-reflection==1.85.1' 'protobuf==7.36.2'
  touch "$venv/installed"
  ;;
run)
  exec "$venv/bin/python" "$here/artf_client.py" "$2"
  ;;
*)
  echo "usage: $0 install | run ADDRESS" >&2
  exit 2
  ;;
esac
