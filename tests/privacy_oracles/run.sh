#!/usr/bin/env bash
# Other people's decoders of consent strings: `run.sh install` prepares them under target/, `run.sh strings` writes strings
# and what they read of them, a JSON object a line. Nothing outside of target/ is touched. Needs node, npm, python3 and
# their package registries.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home="${CARGO_TARGET_DIR:-$here/../../target}/privacy-oracles"

case "${1:-}" in
install)
  [ -e "$home/installed-1" ] && exit 0
  rm -rf "$home"
  mkdir -p "$home"
  echo '{"private":true}' >"$home/package.json"
  (cd "$home" && npm install --silent --no-audit --no-fund --ignore-scripts --no-save \
    @iabtechlabtcf/core@1.5.21 @iabgpp/cmpapi@3.2.0 >&2)
  python3 -m venv "$home/venv"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check 'iab-tcf==0.2.2' 'bitarray-hardbyte==2.3.8' >&2
  touch "$home/installed-1"
  ;;
strings)
  node "$here/generate.cjs" "$home/node_modules" | "$home/venv/bin/python" "$here/decode.py"
  ;;
*)
  echo "usage: $0 install | strings" >&2
  exit 2
  ;;
esac
