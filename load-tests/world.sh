# shellcheck shell=bash
# Sourced by `run` and `tools/try`: the program, a world of invented people, and a server pinned to a core.
#
# Needs HERE (this directory). Sets BINARY, WORLD, USERS, TRUTH, SERVER (the server's process), GENERATOR (a command's
# prefix). Everything listens on loopback; `leave` ends what was started here, by process id, and `stop_all` does so in between.

WORK=${LOAD_TESTS_WORK:-$HERE/work}
RESULTS=${LOAD_TESTS_RESULTS:-$HERE/results}
# How long a server may take until it is ready, seconds.
READY_WITHIN=${LOAD_TESTS_READY_SECONDS:-60}
# How many people of a world are asked about.
ASKED=200000
SERVER=""
STARTED=()
COPY=""

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Ends every process that was started here and has not ended yet; waits for the server's drain.
stop_all() {
    local pid
    for pid in "${STARTED[@]}" $SERVER; do kill "$pid" 2>/dev/null || true; done
    for pid in "${STARTED[@]}" $SERVER; do wait "$pid" 2>/dev/null || true; done
    STARTED=() SERVER=""
}

# At the very end: `stop_all`, and nothing of a world that was used stays.
leave() {
    stop_all
    [ -z "$COPY" ] || rm -rf "$COPY"
}

# Runs a command in the background of this script and waits, so that Ctrl-C and SIGTERM are acted upon at once.
run_until_done() {
    local pid status=0
    "$@" &
    pid=$!
    STARTED+=("$pid")
    wait "$pid" || status=$?
    has_ended "$pid"
    return "$status"
}

# Its number may be somebody else's by now: it is not ended again.
has_ended() {
    local pid still=()
    for pid in "${STARTED[@]}"; do [ "$pid" = "$1" ] || still+=("$pid"); done
    STARTED=("${still[@]}")
}

# Which core is whose. With one core they share it, and the figures say little.
# shellcheck disable=SC2034 # GENERATOR is read by who sources this
share_cores() {
    ON_SERVER=() GENERATOR=()
    if ! command -v taskset >/dev/null; then
        say "note: no taskset here (util-linux): server and generator are not pinned, figures will vary"
    elif [ "$(nproc)" -lt 2 ]; then
        say "note: one core only: server and generator share it; goals of latency and goodput mean little here"
    else
        ON_SERVER=(taskset -c "${LOAD_TESTS_SERVER_CORE:-0}") GENERATOR=(taskset -c "${LOAD_TESTS_GENERATOR_CORE:-1}")
    fi
    [ -n "${REALTIME:-}" ] || return 0
    chrt --fifo 1 true 2>/dev/null || die "--realtime needs chrt (util-linux) and the right to use it (root)"
    ON_SERVER+=(chrt --fifo 1)
}

# Says what this machine takes away from two busy cores: no latency below is better than that.
look_at_the_machine() {
    [ ${#GENERATOR[@]} -gt 0 ] || return 0
    say "what this machine takes away from two busy cores (vaglio load machine):"
    "$BINARY" load machine --seconds 3 --cores "${LOAD_TESTS_SERVER_CORE:-0},${LOAD_TESTS_GENERATOR_CORE:-1}" >&2 || true
}

# BINARY: the release program, built when its sources have changed; or the one that was given.
the_program() {
    if [ -n "${BINARY:-}" ]; then
        [ -x "$BINARY" ] || die "$BINARY is no program; leave --binary out to build one"
        BINARY=$(realpath "$BINARY")
        return
    fi
    local top=$HERE/..
    command -v cargo >/dev/null || die "no cargo to build with: install Rust, or give a built program: --binary FILE"
    say "the program: cargo build --release (minutes the first time)"
    (cd "$top" && cargo build --quiet --release --locked --bin vaglio) || die "the program does not build"
    BINARY=$(realpath "${CARGO_TARGET_DIR:-$top/target}/release/vaglio")
}

# the_world KIND PEOPLE SEED: invents and builds a world, or takes the one that is there; it is ours until we end.
# KIND frozen: its clock stands still, so the truth does; it takes no events.
# KIND live: its clock runs, it takes events. It is made anew when it is older than a day, and WORLD is a copy of it, which goes
# when we do: what one run feeds is not in the next one's way.
the_world() {
    local kind=$1 people=$2 seed=$3
    WORLD=$WORK/$kind-$people-$seed
    mkdir -p "$WORK"
    only_ours "$WORLD"
    if [ "$kind" = live ] && [ -n "$(find "$WORLD/.complete" -mmin +1440 2>/dev/null)" ]; then
        say "$WORLD is older than a day, and its clock runs: begun anew"
        rm -rf "$WORLD"
    fi
    [ -e "$WORLD/.complete" ] || invent "$kind" "$people" "$seed"
    if [ "$kind" = live ]; then
        COPY=$WORLD-copy
        rm -rf "$COPY"
        run_until_done cp -a --reflink=auto "$WORLD" "$COPY" || die "no copy of $WORLD; is the disk full?"
        WORLD=$COPY
    fi
    USERS=$WORLD/users.ndjson
}

# only_ours WORLD: waits until nobody else makes or uses it. The lock is on a file that stays open here and in what is started
# here; another world's is given up.
only_ours() {
    exec 9>"$1.lock"
    if ! command -v flock >/dev/null; then
        say "note: no flock here (util-linux): two runs over one world are in each other's way"
    elif ! flock --nonblock 9; then
        say "another run makes or uses $1; waiting until it ends (or choose another world: --people N)"
        run_until_done flock 9
    fi
}

# WORLD, from nothing.
invent() {
    local kind=$1 people=$2 seed=$3 as_of=()
    [ ! -e "$WORLD" ] || { say "$WORLD was left unfinished: begun anew"; rm -rf "$WORLD"; }
    say "a world of $people invented people ($kind): once, some 80 s a million"
    [ "$kind" = frozen ] || as_of=(--as-of "$(date -u +%Y-%m-%dT%H:%M:00Z)")
    run_until_done "$BINARY" synth --people "$people" --seed "$seed" "${as_of[@]}" --out "$WORLD" >"$WORLD.log" 2>&1 ||
        die "no world; see $WORLD.log"
    [ "$kind" = frozen ] || sed -i '/^as_of:/d' "$WORLD/vaglio.yaml"
    people_asked_about "$WORLD"
    run_until_done "$BINARY" build --quiet --config "$WORLD/vaglio.yaml" >>"$WORLD.log" 2>&1 ||
        die "the world was not built; see $WORLD.log"
    touch "$WORLD/.complete"
}

# `synth` leaves a sample of one in sixty; a load test wants more people than fit a cache. Every line is somebody of the
# customer file, with all identifiers that occur at bid time.
people_asked_about() {
    gzip -dc "$1/crm.csv.gz" | awk -F';' -v asked="$ASKED" -v people="$(gzip -dc "$1/crm.csv.gz" | wc -l)" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; step = int(people / asked); if (step < 1) step = 1; next }
        NR % step { next }
        {
            ifa = $at["ifa"]; uid2 = $at["uid2"]; pubcid = $at["pubcid"]; eids = ""
            if (uid2 ~ /^[A-Za-z0-9+\/=]+$/) eids = "{\"source\":\"uidapi.com\",\"uid\":\"" uid2 "\"}"
            if (pubcid ~ /^[0-9a-f-]+$/) eids = eids (eids == "" ? "" : ",") "{\"source\":\"pubcid.org\",\"uid\":\"" pubcid "\"}"
            line = (eids == "" ? "" : "\"eids\":[" eids "]")
            # A device that gives none says zeroes; nobody is meant, and events about nobody are rejected.
            if (ifa ~ /^[0-9a-f-]+$/ && ifa ~ /[1-9a-f]/) line = line (line == "" ? "" : ",") "\"ifa\":\"" ifa "\""
            if (line != "") print "{" line "}"
        }' >"$1/users.ndjson"
}

# TRUTH: what an evaluator over the columns says of everybody who is asked about, made once a world.
the_truth() {
    TRUTH=$WORLD/truth.ndjson
    [ -s "$TRUTH" ] && return
    say "the truth about those who are asked about: once a world"
    run_until_done "$BINARY" load truth --config "$WORLD/vaglio.yaml" --users "$USERS" --out "$TRUTH.new" >&2 ||
        die "the truth could not be told"
    mv "$TRUTH.new" "$TRUTH"
}

# Starts the server over WORLD and waits until it answers.
start_server() {
    HTTP=127.0.0.1:$((PORT + 1)) GRPC=127.0.0.1:$PORT PLANNER=127.0.0.1:$((PORT + 2))
    ! curl -s -o /dev/null --max-time 1 "http://$HTTP/health/live" ||
        die "somebody listens on $HTTP already; choose other ports: --port N"
    SERVER_LOG=$RESULTS/server.log
    mkdir -p "$RESULTS"
    VAGLIO_SERVER__GRPC=$GRPC VAGLIO_SERVER__HTTP=$HTTP VAGLIO_SERVER__PLANNER=$PLANNER \
        "${ON_SERVER[@]}" "$BINARY" serve --config "$WORLD/vaglio.yaml" >"$SERVER_LOG" 2>&1 &
    SERVER=$!
    local until=$((SECONDS + READY_WITHIN))
    until curl -sf -o /dev/null --max-time 1 "http://$HTTP/health/ready"; do
        kill -0 "$SERVER" 2>/dev/null || { tail -n 5 "$SERVER_LOG" >&2; SERVER=""; die "the server ended; its last words are above"; }
        [ "$SECONDS" -lt "$until" ] || die "not ready after $READY_WITHIN s: see $SERVER_LOG; a world of an older build: rm -r $WORLD"
        sleep 0.1
    done
}

# The generation that answers.
generation() {
    curl -s --max-time 2 "http://$HTTP/health/ready" | grep -o '"generation":[0-9]*' | cut -d: -f2
}
