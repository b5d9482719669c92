#!/usr/bin/env bash
# An S3 stand-in for tests: `s3_stand_in.sh install` prepares it under target/, `s3_stand_in.sh serve PORT` runs it in the
# foreground on loopback until it is killed. Nothing outside of target/ is touched. Needs python3 and a package registry.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
venv="${CARGO_TARGET_DIR:-$top/target}/s3-stand-in"

case "${1:-}" in
install)
  [ -x "$venv/bin/moto_server" ] && exit 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.5'
  ;;
serve)
  exec "$venv/bin/moto_server" -H 127.0.0.1 -p "$2"
  ;;
*)
  echo "usage: $0 install | serve PORT" >&2
  exit 2
  ;;
esac
