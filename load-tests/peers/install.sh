#!/bin/sh
# Puts what is measured beside Vaglio in place: DuckDB and matplotlib into an environment of their own (load-tests/peers/.venv,
# or the folder given), Redis from the distribution's packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/.venv}
if ! [ -x "$venv/bin/python" ]; then
    python3 -c 'import venv, ensurepip' 2>/dev/null ||
        { echo "error: python3 cannot make environments: install it and its venv module (apt-get install python3-venv)" >&2; exit 1; }
    python3 -m venv "$venv"
fi
"$venv/bin/python" -c 'import duckdb, matplotlib' 2>/dev/null || "$venv/bin/pip" install --quiet 'duckdb>=1.4' 'matplotlib>=3.9'
"$venv/bin/python" -c 'import duckdb, matplotlib; print("duckdb", duckdb.__version__, "matplotlib", matplotlib.__version__)'
if ! command -v redis-server >/dev/null; then
    [ "$(id -u)" = 0 ] && sudo= || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends redis-server >/dev/null
    # The program alone is wanted; the package has started a service of its own on port 6379, now and at every boot.
    if [ -d /run/systemd/system ]; then
        $sudo systemctl disable --quiet --now redis-server
    elif [ -x /etc/init.d/redis-server ]; then
        $sudo /etc/init.d/redis-server stop >/dev/null || true
    fi
fi
redis-server --version
