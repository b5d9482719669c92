#!/usr/bin/env python3
"""The questions of `cargo bench --bench reach`, put to DuckDB over the same columns, in one run after it.

    load-tests/peers/install.sh
    VAGLIO_BENCH_EXPORT=/tmp/reach cargo bench --bench reach
    load-tests/peers/.venv/bin/python load-tests/peers/duckdb_reach.py /tmp/reach [results.json]

DuckDB has its tables in memory, typed as narrowly as the values allow, purchases sorted by profile, and two threads. Every
question is asked five times and the fastest counts, as with Vaglio. The medians go into results.json, for `plots.py`. Exit status 1
if any count differs.
"""
import json
import os
import statistics
import sys
import time

import duckdb

TIMES = 5
PEOPLE = "{'profile': 'UINTEGER', 'age': 'UTINYINT', 'income': 'USMALLINT', 'region': 'VARCHAR', 'vip': 'BOOLEAN'}"
ROWS = "{'profile': 'UINTEGER', 'time': 'UINTEGER', 'amount': 'DOUBLE', 'shop': 'VARCHAR'}"


def load(folder):
    base = duckdb.connect(":memory:")
    base.execute(f"SET threads = {os.environ.get('VAGLIO_PEER_THREADS', '2')}")
    for letter, kind, count in (("r", "region", 20), ("s", "shop", 12)):
        names = ", ".join(f"'{letter}{at:02}'" for at in range(count))
        base.execute(f"CREATE TYPE {kind} AS ENUM ({names})")
    people = f"read_csv('{folder}/people.csv', header = true, columns = {PEOPLE})"
    base.execute(f"CREATE TABLE people AS SELECT profile, age, income, region::region AS region, vip FROM {people}")
    rows = f"read_csv('{folder}/purchase.csv', header = true, columns = {ROWS})"
    base.execute(f"CREATE TABLE purchase AS SELECT profile, time, amount, shop::shop AS shop FROM {rows} ORDER BY profile, time")
    return base


def ask(base, sql):
    best = float("inf")
    for _ in range(TIMES):
        start = time.perf_counter()
        row = base.execute(sql).fetchone()
        best = min(best, (time.perf_counter() - start) * 1e3)
    return best, ",".join(str(int(value or 0)) for value in row)


def line(name, ours, theirs):
    def at(times, share):
        times = sorted(times)
        return times[round((len(times) - 1) * share)]

    cells = [at(times, share) for times in (ours, theirs) for share in (0.5, 0.99, 1.0)]
    # Where only the counts are of interest Vaglio's times are 0.
    times = f"{cells[3] / cells[0]:>9.1f} x" if cells[0] else ""
    print(f"{name:<20}" + "".join(f"{cell:>10.2f}" for cell in cells) + times)


def keep(path, times):
    """Adds the medians, ours and theirs, to a file of results."""
    results = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    results["reach"] = {name: [statistics.median(pair[at] for pair in pairs) for at in (0, 1)] for name, pairs in times.items()}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)


def main():
    folder = sys.argv[1]
    base, times, wrong, asked = load(folder), {}, 0, 0
    with open(f"{folder}/questions.tsv", encoding="utf-8") as questions:
        for row in questions:
            kind, ours, expected, sql = row.rstrip("\n").split("\t")
            theirs, found = ask(base, sql)
            asked += 1
            if found != expected:
                wrong += 1
                print(f"DIFFERENT: vaglio {expected}, duckdb {found}: {sql}", file=sys.stderr)
            for name in (kind, "all rules") if sql.startswith("SELECT count(*) FROM people") else (kind,):
                times.setdefault(name, []).append((float(ours), theirs))
    print(f"milliseconds; duckdb {duckdb.__version__}\n{'':<20}{'vaglio':>10}{'p99':>10}{'max':>10}{'duckdb':>10}{'p99':>10}{'max':>10}")
    for name, pairs in times.items():
        line(name, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    if len(sys.argv) > 2:
        # A kind whose answers were only compared has no times of ours.
        keep(sys.argv[2], {name: pairs for name, pairs in times.items() if any(pair[0] for pair in pairs)})
    print(f"all {asked} counts are equal" if wrong == 0 else f"{wrong} counts differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
