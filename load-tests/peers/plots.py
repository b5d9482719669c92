"""The pictures of docs/benchmarks.md, section Peers, from results.json (and reach.json): on white, so that they can be read on
light and on dark pages; in colours that colour-blind people tell apart, and never by colour alone.

    load-tests/peers/.venv/bin/python load-tests/peers/plots.py results.json docs/images
"""
import json
import os
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

OURS, THEIRS, CEILING, GOAL = "#0072B2", "#999999", "#E69F00", "#D55E00"
plt.rcParams.update({"font.size": 11, "svg.hashsalt": "vaglio", "figure.facecolor": "white", "axes.spines.top": False,
                     "axes.spines.right": False, "axes.axisbelow": True, "font.family": "DejaVu Sans"})


def colour(name):
    if name.startswith("vaglio"):
        return OURS
    return CEILING if name in ("hyper", "artf") else THEIRS


def bars(rows, value, unit, title, goal, goal_label, path):
    figure, axes = plt.subplots(figsize=(8.5, 0.52 * len(rows) + 1.7))
    rows = rows[::-1]
    values = [value(row) for row in rows]
    drawn = axes.barh([row["label"] for row in rows], values, color=[colour(row["name"]) for row in rows], height=0.62)
    for bar, row in zip(drawn, rows):
        if row["name"].startswith("vaglio"):
            bar.set_hatch("//")
            bar.set_edgecolor("white")
    axes.bar_label(drawn, [f" {round(one):,}" for one in values], padding=2)
    axes.axvline(goal, color=GOAL, linestyle="--", linewidth=1.6)
    axes.set_ylim(-0.6, len(rows) + 0.35)
    right = goal < max(values) * 0.6
    axes.text(goal, len(rows) - 0.25, f" {goal_label} ", color=GOAL, va="center", ha="left" if right else "right")
    axes.set_xlim(0, max(*values, goal) * 1.22)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda one, _: f"{one:,.0f}"))
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def reach(kinds, path):
    """`kinds`: what is asked -> medians of Vaglio and of DuckDB in milliseconds."""
    figure, axes = plt.subplots(figsize=(8.5, 0.7 * len(kinds) + 1.7))
    names = list(kinds)[::-1]
    for shift, at, label, tint in ((0.19, 0, "Vaglio", OURS), (-0.19, 1, "DuckDB", THEIRS)):
        values = [kinds[name][at] for name in names]
        drawn = axes.barh([place + shift for place in range(len(names))], values, height=0.36, color=tint, label=label,
                          hatch="//" if at == 0 else None, edgecolor="white")
        axes.bar_label(drawn, [f" {one:.3g}" for one in values], padding=2)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlim(right=max(max(pair) for pair in kinds.values()) * 4)
    axes.axvline(10, color=GOAL, linestyle="--", linewidth=1.6)
    axes.set_ylim(-0.6, len(names) + 0.2)
    axes.text(10, len(names) - 0.2, " goal for the mix at 10 M: 10 ms", color=GOAL, va="center")
    axes.set_xlabel("median, milliseconds (logarithmic)")
    axes.set_title("Reach and overlap, 1 M profiles, exact counts", loc="left", fontsize=12, fontweight="bold")
    axes.legend(loc="lower right", frameon=True)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)
    images, profiles = sys.argv[2], results["profiles"]
    os.makedirs(images, exist_ok=True)
    enrich = [row for row in results["rows"] if row["door"] == "enrich"]
    sets = next((row for row in enrich if row["name"] == "redis-sets"), None)
    if sets:
        bars(enrich, lambda row: row["per_cpu_second"], "bid requests enriched a second of the server's CPU (Redis included)",
             "A bid request in, the user's segments out", 3 * sets["per_cpu_second"], "goal: 3 x Redis sets",
             os.path.join(images, "peers-requests.svg"))
        stores = [row for row in enrich if row["name"] != "hyper"]
        bars(stores, lambda row: row["resident"] / profiles, "resident bytes a profile, all processes",
             f"Memory of {profiles:,} profiles", sets["resident"] / profiles / 3,
             "goal: 1/3 of Redis sets", os.path.join(images, "peers-memory.svg"))
    if results.get("reach"):
        reach(results["reach"], os.path.join(images, "peers-reach.svg"))


if __name__ == "__main__":
    main()
