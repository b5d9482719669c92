#!/usr/bin/env python3
"""The questions of `cargo bench --bench reach`, put to DuckDB over the same columns.

    load-tests/peers/install.sh
    VAGLIO_BENCH_EXPORT=/tmp/reach cargo bench --bench reach
    load-tests/peers/.venv/bin/python load-tests/peers/duckdb_reach.py /tmp/reach [results.json [COMMAND...]]

DuckDB has its tables in memory, typed as narrowly as the values allow, purchases sorted by profile, and two threads. Every
question is asked once for the caches and five times more, of which the median counts, as with Vaglio. With a COMMAND, which
measures Vaglio and writes its questions into the folder anew, both are asked in turn and in both orders,
`VAGLIO_BENCH_PEERS_ROUNDS` times (default 5), and the medians of the rounds count; without one there is one round, after
Vaglio's. The medians go into results.json, for `plots.py`. Exit status 1 if any count differs.
"""
import json
import os
import statistics
import sys
import time

import duckdb

import processes

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
    """The median in milliseconds, and what was counted."""
    row, taken = base.execute(sql).fetchone(), []
    for _ in range(TIMES):
        start = time.perf_counter()
        base.execute(sql).fetchone()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken), ",".join(str(int(value or 0)) for value in row)


def questions(folder):
    """Kind, Vaglio's milliseconds, what it counted, and the question."""
    with open(f"{folder}/questions.tsv", encoding="utf-8") as file:
        rows = [row.rstrip("\n").split("\t") for row in file]
    return [(kind, float(ours), counted, sql) for kind, ours, counted, sql in rows]


def theirs(base, asked, wrong):
    """DuckDB's milliseconds, a question each; counts that differ go into `wrong`."""
    found = [ask(base, sql) for _, _, _, sql in asked]
    for (_, _, counted, sql), (_, other) in zip(asked, found):
        if other != counted:
            wrong.add(f"DIFFERENT: vaglio {counted}, duckdb {other}: {sql}")
    return [ms for ms, _ in found]


def ours(folder, command):
    processes.run(command, env={**os.environ, "VAGLIO_BENCH_EXPORT": os.path.abspath(folder)})
    return [ms for _, ms, _, _ in questions(folder)]


def rounds(folder, command, count):
    """The questions, and of each the medians of all rounds, ours and theirs; every other round backwards."""
    asked, base, wrong = questions(folder), load(folder), set()
    if not command:
        mine, other = [[ms for _, ms, _, _ in asked]], [theirs(base, asked, wrong)]
    else:
        mine, other = [], []
        for number in range(count):
            for who in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
                if who == "ours":
                    mine.append(ours(folder, command))
                else:
                    other.append(theirs(base, asked, wrong))
    return asked, list(zip(map(statistics.median, zip(*mine)), map(statistics.median, zip(*other)))), wrong


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
    processes.end_on_signals()
    count = int(os.environ.get("VAGLIO_BENCH_PEERS_ROUNDS", "5"))
    asked, medians, wrong = rounds(sys.argv[1], sys.argv[3:], count)
    for text in sorted(wrong):
        print(text, file=sys.stderr)
    times = {}
    for (kind, _, _, sql), pair in zip(asked, medians):
        for name in (kind, "all rules") if sql.startswith("SELECT count(*) FROM people") else (kind,):
            times.setdefault(name, []).append(pair)
    print(f"milliseconds; duckdb {duckdb.__version__}\n{'':<20}{'vaglio':>10}{'p99':>10}{'max':>10}{'duckdb':>10}{'p99':>10}{'max':>10}")
    for name, pairs in times.items():
        line(name, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    if len(sys.argv) > 2:
        # A kind whose answers were only compared has no times of ours.
        keep(sys.argv[2], {name: pairs for name, pairs in times.items() if any(pair[0] for pair in pairs)})
    print(f"{len(wrong)} counts differ" if wrong else f"all {len(asked)} counts are equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
