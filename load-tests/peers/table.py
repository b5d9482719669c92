"""The table of docs/benchmarks.md, section Peers, from results.json: printed, or put between the markers of a file.

    load-tests/peers/.venv/bin/python load-tests/peers/table.py results.json [docs/benchmarks.md]
"""
import json
import sys

BEGIN, END = "<!-- peers: written by load-tests/peers/table.py -->", "<!-- peers: end -->"


def verdict(met, text):
    return text if met else f"**{text}, missed**"


def doors(rows, profiles):
    """Requests and memory, next to the goals."""
    by_name = {row["name"]: row for row in rows}
    ours, sets = by_name["vaglio"], by_name.get("redis-sets")
    yield "| | requests a CPU second | least to most | Vaglio is | resident bytes a profile | on disk | p50, p99 at saturation |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        ratio = ours["per_cpu_second"] / row["per_cpu_second"] if row["door"] == "enrich" else None
        if row["name"] == "artf":
            ratio = by_name["vaglio-artf"]["per_cpu_second"] / row["per_cpu_second"]
        times = "" if row["name"].startswith("vaglio") else f"{ratio:.2f} x"
        disk = f"{row['disk'] / profiles:.0f}" if row["disk"] else ""
        memory = "" if row["name"] in ("hyper", "artf", "vaglio-artf") else f"{row['resident'] / profiles:.0f}"
        yield (f"| {row['label']} | {row['per_cpu_second']:,.0f} | {row['least']:,.0f} to {row['most']:,.0f} | {times} | {memory} | {disk} "
               f"| {row['p50_us']:,.0f}, {row['p99_us']:,.0f} us |")
    if sets:
        faster, smaller = ours["per_cpu_second"] / sets["per_cpu_second"], ours["resident"] / sets["resident"]
        yield ""
        yield "| against hyper + Redis sets | measured | goal |"
        yield "|---|---|---|"
        yield f"| requests a CPU second | {verdict(faster >= 3, f'{faster:.2f} x')} | >= 3 x |"
        yield f"| memory | {verdict(smaller <= 1 / 3, f'1 / {1 / smaller:.1f}')} | <= 1/3 |"


def latencies(load, rows):
    """The same rate for all."""
    labels = {row["name"]: row["label"] for row in rows}
    yield ""
    yield f"At {load['rate']:,} requests a second each, sent by `vaglio load` (open loop, from when a request was due; medians of {load['rounds']} rounds, in both orders):"
    yield ""
    yield "| | CPU a request | p50 | p99 | p99.9 | answered of those due |"
    yield "|---|---|---|---|---|---|"
    for name, found in load["servers"].items():
        yield (f"| {labels[name]} | {found['cpu_us']:.0f} us | {found['p50_us']:,.0f} us | {found['p99_us']:,.0f} us | {found['p999_us']:,.0f} us "
               f"| {found['accepted']:,} of {found['due']:,} |")


def written(results):
    """The whole section."""
    lines = list(doors(results["rows"], results["profiles"]))
    if results["load"]:
        lines += latencies(results["load"], results["rows"])
    if results.get("build"):
        lines += ["", *results["build"]]
    return "\n".join(lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = written(json.load(file))
    if len(sys.argv) < 3:
        print(text)
        return
    with open(sys.argv[2], encoding="utf-8") as file:
        document = file.read()
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
