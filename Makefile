ifeq ($(shell command -v cargo 2>/dev/null),)
$(error cargo is missing; install Rust with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh)
endif

CARGO ?= cargo
# The demonstration's world; `make demo PEOPLE=100000` for a quick one.
PEOPLE ?= 1000000
SEED ?= 7

.PHONY: help demo test conformance check bench bench-doors bench-feed fuzz-smoke torture

help:
	@echo "make demo        build, invent $(PEOPLE) people, build a snapshot, serve it, ask it, explain what happened"
	@echo "make test        every test (real data: VAGLIO_DATA_DIR, default ../shared/data; absent = skipped, and said)"
	@echo "make conformance independent clients: grpcio, Prebid.js, Prebid Server (python3, node, npm and go; builds for minutes)"
	@echo "make check       format, clippy, docs, tests, dependency and licence bans"
	@echo "make bench       the figures of docs/benchmarks.md (1 M profiles; VAGLIO_BENCH_PROFILES changes it)"
	@echo "make bench-doors what a request costs at each door, next to bare servers of the same run (3 minutes, 2 cores)"
	@echo "make bench-feed  what events cost, and how soon they are seen at bid time (1 minute, 2 cores)"
	@echo "make torture     10,000 kills and 1,000 power cuts, with a ledger of what was acknowledged (an hour)"
	@echo "make fuzz-smoke  a minute of random input for every parser and every section"

demo:
	$(CARGO) run --profile demo --locked --bin vaglio -- demo --people $(PEOPLE) --seed $(SEED)

test:
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
	$(MAKE) test
	@# Licences, bans and origins are tests: tests/dependencies.rs, tests/hygiene.rs, tests/layering.rs.

bench:
	$(CARGO) bench --locked

bench-feed:
	$(CARGO) bench --locked --bench feed

bench-doors:
	$(CARGO) bench --locked --bench doors
	$(CARGO) bench --locked --bench doors -- runtimes

fuzz-smoke:
	VAGLIO_TEST_FUZZ_CASES=$${VAGLIO_TEST_FUZZ_CASES:-20000} $(CARGO) test --release --locked --test fuzz_smoke
