#!/bin/sh
# Puts matplotlib into an environment of its own: load-tests/plots/.venv (or the folder given).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/.venv}
if ! [ -x "$venv/bin/python" ]; then
    python3 -c 'import venv, ensurepip' 2>/dev/null ||
        { echo "error: python3 cannot make environments: install it and its venv module (apt-get install python3-venv)" >&2; exit 1; }
    python3 -m venv "$venv"
fi
"$venv/bin/python" -c 'import matplotlib' 2>/dev/null || "$venv/bin/pip" install --quiet 'matplotlib>=3.9'
"$venv/bin/python" -c 'import matplotlib; print("matplotlib", matplotlib.__version__)'
