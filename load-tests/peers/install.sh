#!/bin/sh
# Puts what is measured beside Vaglio in place: DuckDB and matplotlib into an environment of their own (load-tests/peers/.venv,
# or the folder given), Redis from the distribution's packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/.venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import duckdb, matplotlib' 2>/dev/null || "$venv/bin/pip" install --quiet 'duckdb>=1.4' 'matplotlib>=3.9'
"$venv/bin/python" -c 'import duckdb, matplotlib; print("duckdb", duckdb.__version__, "matplotlib", matplotlib.__version__)'
if ! command -v redis-server >/dev/null; then
    # The server alone: the package's own service is not wanted, and nothing of it is started.
    [ "$(id -u)" = 0 ] && sudo= || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends redis-server >/dev/null
fi
redis-server --version
