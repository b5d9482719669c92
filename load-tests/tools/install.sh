#!/usr/bin/env bash
# Puts the tools that people already use into load-tests/tools/bin: k6 and ghz through Go's module proxy, wrk and h2load
# through the distribution. What is there already stays. `install.sh k6 ghz` installs only these.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$here/bin
mkdir -p "$bin"
K6=v1.8.1
GHZ=v0.121.0

go_tool() { # go_tool NAME MODULE VERSION
    if [ -x "$bin/$1" ]; then return; fi
    command -v go >/dev/null || { echo "no Go: install it (1.24 or newer) for $1, or skip it: $0 wrk h2load" >&2; return 1; }
    echo "$1 $3 (go install, a minute or two)" >&2
    GOBIN=$bin go install "$2@$3"
}

packaged() { # packaged PROGRAM PACKAGE
    if ! command -v "$1" >/dev/null; then
        local as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        command -v apt-get >/dev/null || { echo "no apt-get: install $1 (package $2) as your system does" >&2; return 1; }
        "${as_root[@]}" apt-get install -y -qq "$2" >/dev/null
    fi
    ln -sf "$(command -v "$1")" "$bin/$1"
}

[ $# -gt 0 ] || set -- k6 ghz wrk h2load
status=0
for tool in "$@"; do
    case $tool in
        k6) go_tool k6 go.k6.io/k6 "$K6" || status=1 ;;
        ghz) go_tool ghz github.com/bojand/ghz/cmd/ghz "$GHZ" || status=1 ;;
        wrk) packaged wrk wrk || status=1 ;;
        h2load) packaged h2load nghttp2-client || status=1 ;;
        *) echo "no such tool: $tool (k6 ghz wrk h2load)" >&2; status=2 ;;
    esac
done
ls "$bin"
exit "$status"
