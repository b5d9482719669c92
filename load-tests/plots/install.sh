#!/bin/sh
# Puts matplotlib into an environment of its own: load-tests/plots/.venv (or the folder given).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/.venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import matplotlib' 2>/dev/null || "$venv/bin/pip" install --quiet 'matplotlib>=3.9'
"$venv/bin/python" -c 'import matplotlib; print("matplotlib", matplotlib.__version__)'
