#!/usr/bin/env python3
"""Computes docs/sizing.md's tables from what `cargo bench --bench growth` measured.

    python3 load-tests/plots/sizing.py docs/images/growth.csv

Nothing but the standard library. What it takes from elsewhere in docs/benchmarks.md stands in OVERLAY and DOORS.
"""
import math
import pathlib
import sys

from figures import number, read

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/sizing.md"
PEOPLE = 1_000_000_000
# Bytes of overlay and facts a changed profile (make bench-feed); profiles that change between two indices.
OVERLAY, CHANGED = 490, 0.05
# Requests a second of the server's CPU, at 1 M profiles (make bench-doors): the worse of the quiet runs.
DOORS = {"`POST /openrtb2/enrich`, 2.7 KB": 57_868, "gRPC `Lookup`": 44_620, "`LookupStream`, lookups": 1_234_816}
# Generations that are kept, and the one that is being built.
KEPT = 4


def largest(rows, series):
    return max((key[1], key[2]) for key in rows if key[0] == series)


def main():
    rows = read(sys.argv[1])
    served, built = largest(rows, "profiles"), largest(rows, "build")

    def of(series, size, measure):
        return rows[(series, *size, measure)]

    profiles = of("build", built, "profiles")
    forward = of("profiles", served, "forward, bytes") / served[0]
    identifier = of("profiles", served, "identities, bytes") / served[0] / 2
    bid = of("profiles", served, "bid plane, bytes") / served[0]
    snapshot = of("build", built, "snapshot, bytes") / profiles
    control = snapshot - of("build", built, "bid plane, bytes") / profiles
    peak = of("build", built, "peak anonymous memory, bytes") / profiles
    sources = of("build", built, "sources, bytes") / profiles
    index, activate = (of("build", built, f"{step}, s") / profiles for step in ("index", "activate"))
    opened = of("profiles", served, "open, s") / of("profiles", served, "bid plane, bytes")
    wait = {size: rows[("profiles", *size, "40 % unknown, ns")] for size in sorted({k[1:3] for k in rows if k[0] == "profiles"})}
    smallest = min(wait)
    slower = (wait[served] - wait[smallest]) / 1e3

    say = [f"Measured at {served[0] // 10**6} M profiles in service and {built[0] // 10**6} M people built:", ""]
    say += ["| | a profile |", "|---|---|",
            f"| `forward`, 44 of 2,000 audiences | {number(forward)} B |",
            f"| `identities`, an identifier that occurs in bids | {number(identifier)} B |",
            f"| bid plane, two such identifiers | b = {number(bid)} B |",
            f"| control plane: keys, traits, ten events, bitmaps | c = {number(control)} B |",
            f"| peak anonymous memory of a build | m = {number(peak)} B |",
            f"| compressed sources | {number(sources)} B |",
            f"| index, two cores | i = {number(index * 1e6)} us |",
            f"| activate 2,000 audiences, two cores | a = {number(activate * 1e6)} us |",
            f"| opening, of a byte of the bid plane, in the page cache | {number(opened * 1e9)} ns |", ""]
    say += ["Computed for P = 1,000,000,000 profiles in N partitions:", "",
            "| N | profiles each | bid plane each, GB | memory of a bid node, GB | its disk, GB | memory of its build, GB | index, hours | activate, hours | open, s |",
            "|---|---|---|---|---|---|---|---|---|"]
    for parts in (1, 2, 4, 8, 16, 32, 64):
        each = PEOPLE / parts
        memory = 2 * each * bid + each * CHANGED * OVERLAY + 2e9
        cells = [each / 1e6, each * bid / 1e9, memory / 1e9, KEPT * each * bid / 1e9, each * peak / 1e9,
                 each * index / 3600, each * activate / 3600, each * bid * opened]
        say.append(f"| {parts} | {number(cells[0])} M | " + " | ".join(number(cell) for cell in cells[1:]) + " |")
    say += ["", f"Sources: {number(PEOPLE * sources / 1e9)} GB; a snapshot of everything: {number(PEOPLE * (bid + control) / 1e9)} GB.", "",
            f"A question (40 % unknown) waits {number(wait[served] / 1e3)} us for memory at {served[0] // 10**6} M profiles, "
            f"{number(slower)} us more than at {smallest[0] // 10**6} M. So a core answers, at half of saturation:", "",
            "| | a CPU second, measured at 1 M | the same with the slower lookup, computed | cores for 1 million a second at half load |",
            "|---|---|---|---|"]
    for door, rate in DOORS.items():
        # A stream's lookups come in batches, whose waits overlap.
        batch = "batch of 64, 40 % unknown, each, ns"
        extra = slower if "Stream" not in door else (of("profiles", served, batch) - of("profiles", smallest, batch)) / 1e3
        then = 1e6 / (1e6 / rate + max(extra, 0))
        say.append(f"| {door} | {rate:,} | {number(then)} | {math.ceil(1e6 / (then / 2))} |")
    begin, end = "<!-- sizing: written by load-tests/plots/sizing.py -->", "<!-- sizing: end -->"
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    PAGE.write_text(f"{before}{begin}\n\n" + "\n".join(say) + f"\n\n{end}{rest.split(end)[1]}", encoding="utf-8")
    print(f"the tables of {PAGE.relative_to(ROOT)} are written")


if __name__ == "__main__":
    main()
