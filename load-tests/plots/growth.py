#!/usr/bin/env python3
"""Draws how cost grows, and writes the tables of docs/benchmarks.md, from what `cargo bench --bench growth` measured.

    load-tests/plots/install.sh
    load-tests/plots/.venv/bin/python load-tests/plots/growth.py docs/images/growth.csv

Slopes are those of a straight line through the logarithms: 1 is in proportion, 0 is not at all.
"""
import math
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from figures import number, read  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/images/growth.svg"
PAGE = ROOT / "docs/benchmarks.md"
# Okabe and Ito's colours: told apart by everybody; markers differ too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["o", "s", "^", "D", "v", "P"]


class Figures:
    def __init__(self, rows):
        self.rows = rows

    def sizes(self, series):
        """What grows in a series: (profiles, audiences), ascending."""
        return sorted({key[1:3] for key in self.rows if key[0] == series})

    def of(self, series, size, measure):
        return self.rows.get((series, *size, measure))

    def line(self, series, along, measure, factor=1.0):
        """Points of a measure along profiles (0) or audiences (1)."""
        points = [(size[along], self.of(series, size, measure)) for size in self.sizes(series)]
        return [(x, y * factor) for x, y in points if y]


def slope(points):
    if len(points) < 2:
        return float("nan")
    x, y = [math.log(p[0]) for p in points], [math.log(p[1]) for p in points]
    return statistics.linear_regression(x, y).slope


def panel(axes, title, unit, along, lines):
    lines = [line for line in lines if line[1]]
    if not lines:
        # This series was not measured.
        return axes.set_axis_off()
    for at, (label, points) in enumerate(lines):
        axes.plot(*zip(*points), color=COLOURS[at], marker=MARKERS[at], markersize=5, linewidth=1.6,
                  label=f"{label} (slope {slope(points):.2f})" if len(points) > 1 else label)
    axes.set(title=title, xscale="log", yscale="log", xlabel=along, ylabel=unit)
    axes.grid(True, which="major", color="#d5d9de", linewidth=0.7)
    return axes.legend(fontsize=7.5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)


def draw(found):
    plt.rcParams.update({"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "vaglio", "axes.edgecolor": "#5a6068",
                         "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False})
    # Its own ground: as readable on a dark page as on a light one.
    figure, axes = plt.subplots(2, 3, figsize=(13, 8.4), facecolor="white", layout="constrained")

    def along_profiles(series, *measures):
        return [(label, found.line(series, 0, measure, factor)) for label, measure, factor in measures]

    panel(axes[0][0], "The bid plane, on disk and in memory", "GB", "profiles", along_profiles(
        "profiles", ("all of it", "bid plane, bytes", 1e-9), ("forward", "forward, bytes", 1e-9),
        ("identities, two a profile", "identities, bytes", 1e-9)))
    panel(axes[0][1], "A lookup", "ns", "profiles", along_profiles(
        "profiles", ("hit", "hit, ns", 1), ("40 % unknown", "40 % unknown, ns", 1), ("miss", "miss, ns", 1),
        ("batch of 64, hits, each", "batch of 64, hits, each, ns", 1),
        ("one memory access", "one dependent memory access, ns", 1)))
    panel(axes[0][2], "Building, opening", "seconds", "profiles", [
        ("index", found.line("build", 0, "index, s")), ("activate 2,000 audiences", found.line("build", 0, "activate, s")),
        ("write identities", found.line("profiles", 0, "write identities, s")),
        ("write forward", found.line("profiles", 0, "write forward, s")), ("open", found.line("profiles", 0, "open, s"))])
    panel(axes[1][0], "A build: memory and snapshot", "GB", "profiles", along_profiles(
        "build", ("peak anonymous memory", "peak anonymous memory, bytes", 1e-9), ("snapshot", "snapshot, bytes", 1e-9),
        ("compressed sources", "sources, bytes", 1e-9)))
    panel(axes[1][1], "More audiences: activating 1 M people", "seconds; GB", "audiences", [
        ("activate, seconds", found.line("activate", 1, "activate, s")),
        ("peak anonymous memory, GB", found.line("activate", 1, "peak anonymous memory, bytes", 1e-9))])
    panel(axes[1][2], "More audiences: 1 M profiles, 44 each", "bytes a profile; ns", "audiences", [
        ("forward, bytes a profile", found.line("audiences", 1, "forward, bytes", 1e-6)),
        ("hit, ns", found.line("audiences", 1, "hit, ns")), ("miss, ns", found.line("audiences", 1, "miss, ns")),
        ("batch of 64, hits, each, ns", found.line("audiences", 1, "batch of 64, hits, each, ns"))])
    figure.savefig(PICTURE, metadata={"Date": None})


def table(found, series, along, rows):
    """A markdown table: a row a measure, a column a size, the slope last."""
    sizes = found.sizes(series)
    heads = [f"{size[along] // 10**6} M" if size[along] >= 10**6 else f"{size[along]:,}" for size in sizes]
    out = ["| " + " | ".join(["", *heads, "slope"]) + " |", "|" + "---|" * (len(sizes) + 2)]
    for label, measure, scale, sloped in rows:
        cells, points = [], []
        for size in sizes:
            value = found.of(series, size, measure)
            value = None if value is None else value * (scale(found, series, size) if callable(scale) else scale)
            cells.append(number(value))
            if value:
                points.append((size[along], value))
        if points:
            out.append(f"| {label} | " + " | ".join(cells) + f" | {slope(points):.2f} |" if sloped and len(points) > 1
                       else f"| {label} | " + " | ".join(cells) + " | |")
    return "\n".join(out)


def each(_, __, size):
    return 1 / size[0]


def each_profile(found, series, size):
    return 1 / found.of(series, size, "profiles")


def each_identifier(_, __, size):
    return 1 / (2 * size[0])


def tables(found):
    served = [
        ("bid plane, GB", "bid plane, bytes", 1e-9, True),
        ("bid plane, bytes a profile", "bid plane, bytes", each, False),
        ("forward, bytes a profile", "forward, bytes", each, False),
        ("identities, bytes an identifier", "identities, bytes", each_identifier, False),
        ("write identities, s", "write identities, s", 1, True),
        ("write forward, s", "write forward, s", 1, True),
        ("open, checksums included, ms", "open, s", 1e3, True),
        ("one dependent memory access, ns", "one dependent memory access, ns", 1, False),
        ("hit, ns", "hit, ns", 1, True),
        ("miss, ns", "miss, ns", 1, True),
        ("40 % unknown, ns", "40 % unknown, ns", 1, True),
        ("batch of 64, hits, each, ns", "batch of 64, hits, each, ns", 1, True),
        ("batch of 64, 40 % unknown, each, ns", "batch of 64, 40 % unknown, each, ns", 1, True),
    ]
    built = [
        ("index, s", "index, s", 1, True),
        ("activate, s", "activate, s", 1, True),
        ("memberships, millions", "memberships", 1e-6, True),
        ("memberships a profile", "memberships", each_profile, False),
        ("peak anonymous memory, GB", "peak anonymous memory, bytes", 1e-9, True),
        ("snapshot, GB", "snapshot, bytes", 1e-9, True),
        ("bid plane, bytes a profile", "bid plane, bytes", each_profile, False),
        ("compressed sources, GB", "sources, bytes", 1e-9, True),
    ]
    activated = [
        ("activate, s", "activate, s", 1, True),
        ("memberships a profile", "memberships", each_profile, False),
        ("peak anonymous memory, GB", "peak anonymous memory, bytes", 1e-9, True),
        ("forward, bytes a profile", "forward, bytes", each_profile, False),
        ("bitmaps (control plane), MB", "audiences, bytes", 1e-6, True),
        ("flips, MB", "flips, bytes", 1e-6, True),
    ]
    parts = [
        ("More profiles, in service: two identifiers and 44 of 2,000 audiences a profile, one core.", "profiles", 0, served),
        ("More profiles, built: `vaglio synth --events 10 --audiences 2000`, then `vaglio build`, two cores.", "build", 0, built),
        ("More audiences, in service: 1 M profiles with 44 each (25 of 100).", "audiences", 1, served),
        ("More audiences, activated over the same index of 1 M people, two cores.", "activate", 1, activated),
    ]
    return "\n\n".join(f"{head}\n\n{table(found, *what)}" for head, *what in parts if found.sizes(what[0]))


def main():
    found = Figures(read(sys.argv[1]))
    draw(found)
    begin, end = "<!-- growth: written by load-tests/plots/growth.py -->", "<!-- growth: end -->"
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n\n{tables(found)}\n\n{end}{after}", encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)} and the tables of {PAGE.relative_to(ROOT)} are written")


if __name__ == "__main__":
    main()
