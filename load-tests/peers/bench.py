#!/usr/bin/env python3
"""`make bench-peers`: the services that people build instead, next to Vaglio, in one run on the loopback interface.

    load-tests/peers/.venv/bin/python load-tests/peers/bench.py --vaglio target/release/vaglio --peers PROGRAM --world FOLDER

`--world` is what `cargo bench --bench doors -- world FOLDER` wrote. Every server does the same: a bid request of 2.5 KB in, the
same bytes out with the user's segments in `user.data`; 40 of 100 requests are about somebody unknown. First all answers are
compared with Vaglio's. Then every server is asked in turn, in both orders, by the same generator, which asks as fast as it is
answered: servers on core 0, the generator on core 1. Requests are counted by the second of the *server's* CPU (of all its
processes: Redis is one of them), memory is what is resident. At last all are asked at the same rate by `vaglio load`, in both
orders too, whose latencies count from when a request was due.

Writes results.json; `plots.py` and `table.py` make the pictures and the table of it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import processes
import servers
from servers import Failed, Stage

EMBEDDED = ("lmdb", "redb", "fjall")
COMPARED = ["vaglio", "redis-sets", "redis-strings", "lmdb", "redb", "fjall", "map"]


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def start(stage, wanted):
    """Starts those wanted; Vaglio always, first."""
    say("starting Vaglio")
    stage.ours()
    builders = {
        "redis-sets": lambda: stage.redis("redis-sets", "hyper + Redis sets"),
        "redis-strings": lambda: stage.redis("redis-strings", "hyper + Redis packed strings"),
        "lmdb": lambda: stage.embedded("lmdb", "hyper + LMDB"),
        "redb": lambda: stage.embedded("redb", "hyper + redb"),
        "fjall": lambda: stage.embedded("fjall", "hyper + fjall"),
        "map": lambda: stage.plain("map", "hyper + HashMap"),
        "hyper": lambda: stage.plain("hyper", "bare hyper: as many bytes"),
        "artf": lambda: stage.plain("artf", "tonic, ARTF, a constant", "26", door="artf"),
    }
    for name in wanted:
        if name in builders:
            say(f"filling and starting {name}")
            builders[name]()


def check(stage):
    """Every store says what Vaglio says, before anything is timed."""
    ours = stage.servers[0]
    for server in stage.servers:
        if server.name in COMPARED[1:]:
            done = subprocess.run([stage.peers, "check", ours.address, server.address], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Failed(f"{server.label} does not answer as Vaglio does:\n{done.stderr}")
            say(f"{server.name}: {done.stdout.strip()}")


def ask(stage, server, seconds):
    """One run of the generator: requests, seconds, CPU seconds of the server, bytes an answer, median and p99 in microseconds."""
    command = ["taskset", "-c", servers.GENERATOR_CORE, stage.peers, "ask", server.door, server.address, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as generator:
        if generator.stdout.readline().strip() != "warm":
            raise Failed(f"the generator could not ask {server.label}")
        began, cpu = time.monotonic(), server.cpu()
        line = generator.stdout.readline().split()
        took, cpu = time.monotonic() - began, server.cpu() - cpu
    if len(line) != 4:
        raise Failed(f"the generator failed at {server.label}")
    requests, size, p50, p99 = map(int, line)
    return {"per_cpu_second": requests / cpu, "per_second": requests / took, "bytes": size / requests, "p50_us": p50, "p99_us": p99,
            "cpus": cpu / took}


def warm(stage, seconds):
    """Asks the stores that fill their caches from files until hardly anything is missing there."""
    for server in stage.servers:
        if server.name in EMBEDDED:
            say(f"warming {server.name}")
            ask(stage, server, seconds)


def measure(stage, rounds, seconds):
    """Medians of alternating runs, every other round backwards."""
    runs = {server.name: [] for server in stage.servers}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for server in stage.servers if number % 2 == 0 else stage.servers[::-1]:
            runs[server.name].append(ask(stage, server, seconds))
    rows = []
    for server in stage.servers:
        taken = runs[server.name]
        row = {key: statistics.median(run[key] for run in taken) for key in taken[0]}
        spread = [run["per_cpu_second"] for run in taken]
        row.update(name=server.name, label=server.label, door=server.door, disk=server.disk, resident=server.resident(),
                   least=min(spread), most=max(spread))
        rows.append(row)
    return rows


def loaded(stage, server, rate, seconds):
    """One run of `vaglio load` at a server, or None, and why is said."""
    workload = {"name": server.name, "target": {"http": server.address, "connections": 32}, "doors": {"enrich": 1},
                "arrivals": {"phases": [{"per_second": rate, "seconds": seconds}]}, "warm_seconds": 1,
                "users": {"file": "users.ndjson", "unknown_share": 0.4, "zipf": 0, "ids": {1: 1}}, "request": {"tmax_ms": 0},
                # An answer that it cannot read must not pass for one that came quickly.
                "goals": {"errors": 0}}
    with open(stage.at(f"{server.name}.load.yaml"), "w", encoding="utf-8") as file:
        json.dump(workload, file)  # JSON is YAML, but for keys that must be numbers
    command = ["taskset", "-c", servers.GENERATOR_CORE, stage.vaglio, "load", stage.at(f"{server.name}.load.yaml"), "--quiet",
               "--json", stage.at(f"{server.name}.load.json")]
    cpu = server.cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    cpu = server.cpu() - cpu
    if done.returncode != 0:
        say(f"{server.name}: no latencies: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
        return None
    with open(stage.at(f"{server.name}.load.json"), encoding="utf-8") as file:
        phase = json.load(file)["phases"][-1]
    found = {key: phase["latency"][key] for key in ("p50_us", "p99_us", "p999_us")} | phase["counts"]
    # Its second of warming up is in the CPU time, and nowhere else.
    found["cpu_us"] = cpu * 1e6 / (phase["counts"]["due"] * (seconds + 1) / seconds)
    return found


def latencies(stage, rounds, rate, seconds):
    """The same rate for all, by `vaglio load`: open loop, so nobody is excused from the requests that it delays. Medians of
    alternating runs, every other round backwards; what was due and answered is that of all rounds."""
    subprocess.run([stage.peers, "users", stage.at("users.ndjson")], check=True)
    runs = {server.name: [] for server in stage.servers if server.name in COMPARED}
    for number in range(rounds):
        say(f"at {rate} a second, round {number + 1} of {rounds}")
        for server in stage.servers if number % 2 == 0 else stage.servers[::-1]:
            if server.name in runs:
                run = loaded(stage, server, rate, seconds)
                if run is None:
                    return None
                runs[server.name].append(run)
    medians = ("p50_us", "p99_us", "p999_us", "cpu_us")
    found = {name: {key: (statistics.median if key in medians else sum)(run[key] for run in taken) for key in taken[0]}
             for name, taken in runs.items()}
    return {"rate": rate, "rounds": rounds, "servers": found}


def arguments():
    parser = argparse.ArgumentParser(description="Peers side by side.")
    parser.add_argument("--vaglio", required=True)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--world", required=True)
    parser.add_argument("--out", default="results.json")
    parser.add_argument("--only", default=",".join([*COMPARED, "hyper", "artf"]))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rate", type=int, default=5000, help="requests a second of the latencies; 0 = none")
    return parser.parse_args()


def main():
    asked = arguments()
    processes.end_on_signals()
    stage = Stage(os.path.abspath(asked.world), os.path.abspath(asked.vaglio), os.path.abspath(asked.peers))
    try:
        start(stage, asked.only.split(","))
        check(stage)
        warm(stage, 20)
        rows = measure(stage, asked.rounds, asked.seconds)
        load = latencies(stage, asked.rounds, asked.rate, 5) if asked.rate else None
    except Failed as failed:
        say(f"failed: {failed}")
        return 1
    finally:
        stage.stop()
    profiles = int(os.environ.get("VAGLIO_BENCH_PROFILES", "1000000"))
    with open(asked.out, "w", encoding="utf-8") as out:
        json.dump({"profiles": profiles, "rounds": asked.rounds, "rows": rows, "load": load}, out, indent=1)
    for row in rows:
        say(f"{row['label']:<32} {row['per_cpu_second']:>9.0f} a CPU second, {row['resident'] / profiles:>6.0f} B a profile")
    return 0


if __name__ == "__main__":
    sys.exit(main())
