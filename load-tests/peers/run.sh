#!/bin/sh
# Everything of `make bench-peers`: installs, builds, checks, measures, draws, and writes the table of docs/benchmarks.md. Some
# 20 minutes on two cores once everything is built. What it starts it ends; its data is in a temporary folder.
#   VAGLIO_BENCH_PROFILES=1000000  how many people    VAGLIO_BENCH_PEERS_ONLY=redis-sets,hyper  only these    VAGLIO_BENCH_PEERS_ROUNDS=5
#   LOAD_TESTS_SERVER_CORE=0 LOAD_TESTS_GENERATOR_CORE=1  other cores    VAGLIO_BENCH_PEERS_PORT=25000  other ports
#   ACCEPT=1  rewrites the documents even so: else only the whole of it does
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
CARGO=${CARGO:-cargo}
# All that is compared alternates so many times, in both orders.
export VAGLIO_BENCH_PEERS_ROUNDS="${VAGLIO_BENCH_PEERS_ROUNDS:-5}"
# Only the whole of it rewrites what is committed: fewer rows, people or rounds would take the place of more.
whole=yes
if [ -n "${VAGLIO_BENCH_PEERS_ONLY:-}" ] || [ "${VAGLIO_BENCH_PROFILES:-1000000}" -ne 1000000 ] ||
    [ "$VAGLIO_BENCH_PEERS_ROUNDS" -lt 5 ]; then whole=; fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
programs=$CARGO_TARGET_DIR/release
python=$here/.venv/bin/python
say() { echo "$(date +%T)  $*" >&2; }
die() { echo "error: $*" >&2; exit 1; }
command -v taskset >/dev/null || die "taskset is missing, which keeps servers and generator apart: install it (apt-get install util-linux)"
[ "$(nproc)" -ge 2 ] || die "one core only: servers and generator need one each, or the figures say nothing; take a machine with two"

folder=$(mktemp -d)
child=
# With a child in the foreground a signal would be heard when that has ended. It has a session of its own, so that it is ended
# with what it has started: cargo leaves its benches alone.
does() {
    status=0
    setsid "$@" &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}
end() {
    if [ -n "$child" ]; then
        kill -s TERM -- "-$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap end EXIT
# dash runs no EXIT trap when a signal ends it.
trap 'exit 130' INT TERM HUP

cd "$root"
say "installing what is compared"
"$here/install.sh"
# shellcheck disable=SC2086 # CARGO may be a command with arguments
{
    say "building (minutes, the first time)"
    does $CARGO build --release --locked --bin vaglio
    does $CARGO build --release --locked --manifest-path "$here/Cargo.toml"
    say "testing what peers do to a bid request"
    does $CARGO test --release --locked --quiet --manifest-path "$here/Cargo.toml"
    say "inventing people"
    does $CARGO bench --locked --bench doors -- world "$folder/world"
}
set -- --vaglio "$programs/vaglio" --peers "$programs/peers" --world "$folder/world" --out "$folder/results.json"
[ -z "${VAGLIO_BENCH_PEERS_ONLY:-}" ] || set -- "$@" --only "$VAGLIO_BENCH_PEERS_ONLY"
does "$python" "$here/bench.py" "$@" --rounds "$VAGLIO_BENCH_PEERS_ROUNDS"
say "reach, next to DuckDB"
# shellcheck disable=SC2086
{
    does env VAGLIO_BENCH_EXPORT="$folder/reach" $CARGO bench --locked --bench reach
    does "$python" "$here/duckdb_reach.py" "$folder/reach" "$folder/results.json" $CARGO bench --locked --bench reach
}
say "building audiences, next to DuckDB"
does "$python" "$here/duckdb_build.py" "$programs/vaglio" "$folder/build" "$folder/results.json"
if [ -n "$whole" ] || [ "${ACCEPT:-}" = 1 ]; then
    "$python" "$here/plots.py" "$folder/results.json" docs/images
    "$python" "$here/table.py" "$folder/results.json" docs/benchmarks.md
    say "written: the table between the markers of docs/benchmarks.md, docs/images/peers-*.svg"
else
    kept=$CARGO_TARGET_DIR/tmp/peers
    mkdir -p "$kept"
    cp "$folder/results.json" "$kept/"
    "$python" "$here/plots.py" "$kept/results.json" "$kept"
    "$python" "$here/table.py" "$kept/results.json"
    say "a part of it: the results are in $kept; docs stay as they are (ACCEPT=1 rewrites them)"
fi
