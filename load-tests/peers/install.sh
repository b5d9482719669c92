#!/bin/sh
# Puts DuckDB into an environment of its own: load-tests/peers/.venv (or the folder given).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/.venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import duckdb' 2>/dev/null || "$venv/bin/pip" install --quiet 'duckdb>=1.4'
"$venv/bin/python" -c 'import duckdb; print("duckdb", duckdb.__version__)'
