#!/bin/sh
# Everything of `make bench-peers`: installs, builds, checks, measures, draws, and writes the table of docs/benchmarks.md. Some
# 20 minutes on two cores once everything is built. What it starts it ends; its data is in a temporary folder.
#   VAGLIO_BENCH_PROFILES=1000000  how many people    VAGLIO_BENCH_PEERS_ONLY=redis-sets,hyper  only these    VAGLIO_BENCH_PEERS_ROUNDS=5
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
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
say() { echo "$(date +%T)  $*" >&2; }

say "installing what is compared"
"$here/install.sh"
say "building (minutes, the first time)"
(cd "$root" && $CARGO build --release --locked --bin vaglio)
(cd "$here" && $CARGO build --release --locked)
say "testing what peers do to a bid request"
(cd "$here" && $CARGO test --release --locked --quiet)
say "inventing people"
(cd "$root" && $CARGO bench --locked --bench doors -- world "$folder/world")
cd "$root"
set -- --vaglio "$programs/vaglio" --peers "$programs/peers" --world "$folder/world" --out "$folder/results.json"
[ -z "${VAGLIO_BENCH_PEERS_ONLY:-}" ] || set -- "$@" --only "$VAGLIO_BENCH_PEERS_ONLY"
"$python" "$here/bench.py" "$@" --rounds "$VAGLIO_BENCH_PEERS_ROUNDS"
say "reach, next to DuckDB"
VAGLIO_BENCH_EXPORT=$folder/reach $CARGO bench --locked --bench reach
# shellcheck disable=SC2086 # CARGO may be a command with arguments
"$python" "$here/duckdb_reach.py" "$folder/reach" "$folder/results.json" $CARGO bench --locked --bench reach
say "building audiences, next to DuckDB"
"$python" "$here/duckdb_build.py" "$programs/vaglio" "$folder/build" "$folder/results.json"
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
