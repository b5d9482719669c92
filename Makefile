ifeq ($(shell command -v cargo 2>/dev/null),)
$(error cargo is missing; install Rust with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh)
endif

CARGO ?= cargo
# The demonstration's world; `make demo PEOPLE=100000` for a quick one.
PEOPLE ?= 1000000
SEED ?= 7

# What the console is built from; `npm ci` only where the lock has changed.
CONSOLE := $(shell find console/src console/public console/scripts -type f ! -name schema.d.ts) docs/openapi.json \
	console/index.html console/package.json console/package-lock.json console/tsconfig.json console/vite.config.ts
NODE_OK := $(shell node -e 'const [a,b]=process.versions.node.split(".").map(Number); console.log(a>20||(a===20&&b>=19)?"yes":"")' 2>/dev/null)
ifeq ($(shell command -v npm 2>/dev/null),)
NODE_OK :=
endif

.PHONY: help console demo test conformance check bench guard guard-accept bench-doors bench-feed bench-growth bench-peers fuzz-smoke torture load

help:
	@echo "make console     the web console, which is embedded when the program is built next (Node.js 20.19 or newer, npm)"
	@echo "make demo        build, invent $(PEOPLE) people, build a snapshot, serve it, ask it, explain what happened"
	@echo "make test        every test (real data: VAGLIO_DATA_DIR, default ../shared/data; absent = skipped, and said)"
	@echo "make conformance independent clients: grpcio, Prebid.js, Prebid Server (python3, node, npm and go; builds for minutes)"
	@echo "make check       format, clippy, docs, tests, dependency and licence bans"
	@echo "make bench       the figures of docs/benchmarks.md (1 M profiles; VAGLIO_BENCH_PROFILES changes it)"
	@echo "make guard       instructions and allocations of the bid path against committed budgets (valgrind); guard-accept renews them"
	@echo "make bench-doors what a request costs at each door, next to bare servers of the same run (3 minutes, 2 cores)"
	@echo "make bench-feed  what events cost, and how soon they are seen at bid time (1 minute, 2 cores)"
	@echo "make bench-growth how cost grows with profiles and audiences, as tables and a picture (25 minutes, 12 GiB, 25 GB of disk)"
	@echo "make load        a server of its own under a little load at every door; load-steady, load-overload, ...: load-tests/README.md"
	@echo "make bench-peers the services that people build instead, next to Vaglio: Redis, LMDB, DuckDB (20 minutes, 2 cores, apt, pip)"
	@echo "make torture     10,000 kills and 1,000 power cuts, with a ledger of what was acknowledged (an hour)"
	@echo "make fuzz-smoke  a minute of random input for every parser and every section"

ifeq ($(NODE_OK),yes)
# Nobody who only wants the server is kept from it by a registry that cannot be reached.
console:
	@$(MAKE) --no-print-directory console/dist/index.html.gz || \
		{ test -z "$$VAGLIO_REQUIRE_CONSOLE" && echo "skipped: the web console (see above); the program works without it"; }

console/node_modules/.installed: console/package-lock.json
	cd console && npm ci --no-audit --no-fund
	@touch $@

console/dist/index.html.gz: console/node_modules/.installed $(CONSOLE)
	cd console && npm run --silent build
	@touch $@
else
console:
	@echo "skipped: the web console (install Node.js 20.19 or newer with npm, then \`make console\`); the program works without it"
endif

demo: console
	$(CARGO) run --profile demo --locked --bin vaglio -- demo --people $(PEOPLE) --seed $(SEED)

test: console
	@test -d "$${VAGLIO_DATA_DIR:-../shared/data}" || \
		echo "skipped: tests on real data (no $${VAGLIO_DATA_DIR:-../shared/data}; set VAGLIO_DATA_DIR)"
	$(CARGO) test --locked --no-fail-fast --features faults --lib --bins --tests
	$(CARGO) test --locked --features faults --doc

# Longer than `make test`: 10,000 kills and 1,000 power cuts (skipped, and said, where no ext4 image can be mounted).
torture:
	VAGLIO_TORTURE_ROUNDS=$${VAGLIO_TORTURE_ROUNDS:-10000} VAGLIO_POWER_CUTS=$${VAGLIO_POWER_CUTS:-1000} \
		$(CARGO) test --locked --features faults --test faults -- --nocapture --test-threads=2

conformance:
	VAGLIO_REQUIRE_CONFORMANCE=1 VAGLIO_CONFORMANCE_PREBID_SERVER=1 \
		$(CARGO) test --locked --no-fail-fast --test conformance --test prebid

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets --features faults -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
ifeq ($(NODE_OK),yes)
	$(MAKE) console/dist/index.html.gz
	cd console && npm run --silent check
endif
	$(MAKE) test
	$(MAKE) guard
	@# Licences, bans and origins are tests: tests/dependencies.rs, tests/hygiene.rs, tests/layering.rs.

bench:
	$(CARGO) bench --locked --no-fail-fast

# No clock is read: a busy machine changes nothing. Not part of `make test`, which has no release build to count.
guard:
	@command -v valgrind >/dev/null || { test "$$(id -u)" = 0 && apt-get install -y -qq valgrind >/dev/null 2>&1; } || true
	$(CARGO) test --locked --features faults --test allocations
	$(CARGO) bench --locked --bench guard

guard-accept:
	VAGLIO_GUARD_ACCEPT=1 $(CARGO) test --locked --features faults --test allocations
	$(CARGO) bench --locked --bench guard -- accept

bench-feed:
	$(CARGO) bench --locked --bench feed

# `SIZES`, `BUILDS` and `COUNTS` say how far; worlds and snapshots lie below `VAGLIO_BENCH_GROWTH_DATA` (target/tmp/growth). Only the whole
# of it rewrites the figures that are committed, at its end; a part of it does with ACCEPT=1.
ALL_SIZES := 1000000 3000000 10000000 30000000 100000000
ALL_BUILDS := 1000000 3000000 10000000
ALL_COUNTS := 100 200 500 1000 2000 5000 10000 20000
SIZES ?= $(ALL_SIZES)
BUILDS ?= $(ALL_BUILDS)
COUNTS ?= $(ALL_COUNTS)
GROWTH := $(CARGO) bench --locked --bench growth --
ifeq ($(SIZES)/$(BUILDS)/$(COUNTS),$(ALL_SIZES)/$(ALL_BUILDS)/$(ALL_COUNTS))
GROWTH_WRITES := yes
endif
ifeq ($(ACCEPT),1)
GROWTH_WRITES := yes
endif
bench-growth: export VAGLIO_BENCH_GROWTH_CSV ?= $(CURDIR)/target/tmp/growth.csv
bench-growth:
	$(CARGO) bench --locked --bench growth --no-run
	mkdir -p "$$(dirname "$$VAGLIO_BENCH_GROWTH_CSV")"
	rm -f "$$VAGLIO_BENCH_GROWTH_CSV"
	taskset -c 0 $(GROWTH) profiles $(SIZES)
	taskset -c 0 $(GROWTH) audiences $(COUNTS)
	$(GROWTH) build $(BUILDS)
	$(GROWTH) activate $(COUNTS)
ifeq ($(GROWTH_WRITES),yes)
	cp "$$VAGLIO_BENCH_GROWTH_CSV" docs/images/growth.csv
	load-tests/plots/install.sh
	load-tests/plots/.venv/bin/python load-tests/plots/growth.py docs/images/growth.csv
	load-tests/plots/.venv/bin/python load-tests/plots/sizing.py docs/images/growth.csv
else
	@echo "a part of it: the figures are in $$VAGLIO_BENCH_GROWTH_CSV; docs stay as they are (ACCEPT=1 rewrites them)"
endif

bench-doors:
	$(CARGO) bench --locked --bench doors
	$(CARGO) bench --locked --bench doors -- runtimes

# One scenario: make load-overload LOAD="--seconds 60"
load: load-smoke
load-%:
	load-tests/run $* $(LOAD)

# Installs Redis (apt) and DuckDB (pip, an environment of its own); the whole of it writes the section Peers of docs/benchmarks.md,
# a part of it (VAGLIO_BENCH_PEERS_ONLY, other people, fewer rounds) only with ACCEPT=1.
bench-peers:
	CARGO="$(CARGO)" ACCEPT="$(ACCEPT)" load-tests/peers/run.sh

fuzz-smoke:
	VAGLIO_TEST_FUZZ_CASES=$${VAGLIO_TEST_FUZZ_CASES:-20000} $(CARGO) test --release --locked --test fuzz_smoke
