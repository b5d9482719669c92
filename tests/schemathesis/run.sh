#!/usr/bin/env bash
# Requests that schemathesis makes up from the served OpenAPI: `run.sh install` prepares it under target/, `run.sh ask ADDRESS
# EXAMPLES [OPTION...]` asks a planner's port so many of each operation. Nothing outside of target/ is touched. Needs python3 and a
# package registry.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv="${CARGO_TARGET_DIR:-$here/../../target}/schemathesis"

case "${1:-}" in
install)
  [ -f "$venv/installed" ] && exit 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.32.5'
  touch "$venv/installed"
  ;;
ask)
  # A directory of its own: it leaves a database of what it found where it runs.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  export PYTHONPATH="$here" SCHEMATHESIS_HOOKS=hooks PYTHONDONTWRITEBYTECODE=1
  "$venv/bin/schemathesis" run "http://$2/api/v1/openapi.json" \
    --phases examples,coverage,fuzzing --mode all --max-examples "$3" --seed 7 --continue-on-failure \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method \
    --suppress-health-check all --request-timeout 60 --no-color "${@:4}"
  ;;
*)
  echo "usage: $0 install | ask ADDRESS EXAMPLES [OPTION...]" >&2
  exit 2
  ;;
esac
