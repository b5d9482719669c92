#!/usr/bin/env python3
"""Building audiences, next to DuckDB: the same CSV files of a million people and their purchases, the same 200 rules, two threads.

    load-tests/peers/.venv/bin/python load-tests/peers/duckdb_build.py target/release/vaglio FOLDER [results.json]

Vaglio builds a generation from nothing (`vaglio build`: identities, columns, forward index, checksums, on disk). DuckDB reads the
files into tables typed as narrowly as the values allow (its reader parses them as these types, which is quicker for it than text and
casts), inserts the members of every rule into one table, gathers them to a list of audiences a person, and writes that as Parquet:
what a service would load. Both run as programs of their own, in turn and in both orders, `VAGLIO_BENCH_PEERS_ROUNDS` times (default
5); medians count, and what they counted must be equal. Exit status 1 if any differs.
"""
import json
import os
import re
import statistics
import subprocess
import sys
import time

import duckdb

import processes

AS_OF, RULES, DAY = "2026-11-01T00:00:00Z", 200, 86400
THREADS = os.environ.get("VAGLIO_BENCH_THREADS", "2")
PEOPLE = "{'crm': 'VARCHAR', 'cookie': 'VARCHAR', 'age': 'UTINYINT', 'income': 'UINTEGER', 'region': 'VARCHAR', 'vip': 'BOOLEAN'}"
PURCHASES = "{'crm': 'VARCHAR', 'time': 'TIMESTAMP', 'amount': 'DOUBLE', 'shop': 'VARCHAR'}"


def invent(folder, count):
    """People and three purchases each; purchases at odd minutes, so that none stands on a window's edge."""
    os.makedirs(f"{folder}/definitions", exist_ok=True)
    base = duckdb.connect()
    base.execute("SET threads = 2")
    base.execute(f"""COPY (SELECT 'crm-' || i AS crm, md5(i::VARCHAR)::VARCHAR AS cookie, 18 + hash(i, 1) % 70 AS age,
        hash(i, 2) % 90000 AS income, 'r' || lpad((hash(i, 3) % 20)::VARCHAR, 2, '0') AS region, hash(i, 4) % 10 = 0 AS vip
        FROM range({count}) it(i)) TO '{folder}/people.csv' (HEADER)""")
    base.execute(f"""COPY (SELECT 'crm-' || hash(i, 5) % {count} AS crm,
        strftime(TIMESTAMP '2026-11-01' - to_minutes((2 * (hash(i, 6) % 90000) + 1)::BIGINT), '%Y-%m-%dT%H:%M:%SZ') AS time,
        (hash(i, 7) % 20000) / 100 AS amount, 's' || lpad((hash(i, 8) % 12)::VARCHAR, 2, '0') AS shop
        FROM range({3 * count}) it(i)) TO '{folder}/purchases.csv' (HEADER)""")


def rules():
    """Each in both languages."""
    for at in range(RULES):
        age, income, region, shop, days = 18 + at * 7 % 60, at * 433 % 80000, at % 20, at % 12, 7 + at % 50
        people, recent = "SELECT crm FROM people WHERE ", f"SELECT crm FROM purchases WHERE time > epoch(TIMESTAMP '2026-11-01') - {days * DAY}"
        yield [
            (f"age between {age} and {age + 9}", f"{people} age BETWEEN {age} AND {age + 9}"),
            (f'region in (r{region:02}, r{(region + 7) % 20:02}) and income >= {income}',
             f"{people} region IN ('r{region:02}', 'r{(region + 7) % 20:02}') AND income >= {income}"),
            (f"vip and age >= {age}", f"{people} vip AND age >= {age}"),
            (f"income between {income} and {income + 9999} and not vip", f"{people} income BETWEEN {income} AND {income + 9999} AND NOT vip"),
            (f"age < {age + 5} and region != r{region:02}", f"{people} age < {age + 5} AND region <> 'r{region:02}'"),
            (f'did purchase where shop = "s{shop:02}" within {days} days', f"SELECT DISTINCT crm FROM ({recent} AND shop = 's{shop:02}')"),
            (f"age >= {age} and did purchase at least 2 times within {days} days",
             f"{people} age >= {age} AND crm IN ({recent} GROUP BY crm HAVING count(*) >= 2)"),
            (f"did purchase with sum of amount >= 150 within {days} days", f"{recent} GROUP BY crm HAVING sum(amount) >= 150"),
            (f"region = r{region:02} and not did purchase within {days} days", f"{people} region = 'r{region:02}' AND crm NOT IN ({recent})"),
            (f"vip or income >= {income}", f"{people} (vip OR income >= {income})"),
        ][at % 10]


def configure(folder):
    lines = ["audiences:"]
    lines += [f"  - {{ id: a{at:03}, owner: bench, kind: target, name: A {at}, rule: '{rule}' }}" for at, (rule, _) in enumerate(rules())]
    with open(f"{folder}/definitions/audiences.yaml", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(f"{folder}/vaglio.yaml", "w", encoding="utf-8") as file:
        file.write(f"""data_dir: data
definitions: [definitions/*.yaml]
as_of: {AS_OF}
timezone: UTC
sources:
  - name: people
    kind: profiles
    path: people.csv
    legal_basis: test
    ids: [{{ column: crm, type: crm }}, {{ column: cookie, type: pubcid.org }}]
    traits:
      - {{ column: age, kind: number }}
      - {{ column: income, kind: number }}
      - {{ column: region, kind: category }}
      - {{ column: vip, kind: flag }}
  - name: purchases
    kind: events
    path: purchases.csv
    legal_basis: test
    ids: [{{ column: crm, type: crm }}]
    time: {{ column: time }}
    event: {{ names: [purchase] }}
    properties: [{{ column: amount, kind: number }}, {{ column: shop, kind: category }}]
public: {{ owners: ["*"] }}
""")


def theirs(folder):
    """DuckDB's half, in a process of its own: the counts, in the order of the rules."""
    for left in (f"{folder}/duck.db", f"{folder}/segments.parquet"):
        if os.path.exists(left):
            os.remove(left)
    base = duckdb.connect(f"{folder}/duck.db")
    base.execute(f"SET threads = {THREADS}")
    for letter, kind, count in (("r", "region", 20), ("s", "shop", 12)):
        names = ", ".join(f"'{letter}{at:02}'" for at in range(count))
        base.execute(f"CREATE TYPE {kind} AS ENUM ({names})")
    base.execute(f"""CREATE TABLE people AS SELECT substr(crm, 5)::UINTEGER AS crm, cookie, age, income, region::region AS region, vip
        FROM read_csv('{folder}/people.csv', header = true, columns = {PEOPLE})""")
    base.execute(f"""CREATE TABLE purchases AS SELECT substr(crm, 5)::UINTEGER AS crm, epoch(time)::UINTEGER AS time, amount, shop::shop AS shop
        FROM read_csv('{folder}/purchases.csv', header = true, columns = {PURCHASES}) ORDER BY 1, 2""")
    base.execute("CREATE TABLE members (crm UINTEGER, audience USMALLINT)")
    counts = []
    for at, (_, sql) in enumerate(rules()):
        counts.append(base.execute(f"INSERT INTO members SELECT crm, {at} FROM ({sql})").fetchone()[0])
    base.execute(f"""COPY (SELECT any_value(people.cookie) AS cookie, list(audience ORDER BY audience) AS audiences
        FROM members JOIN people USING (crm) GROUP BY crm) TO '{folder}/segments.parquet'""")
    base.close()
    print(json.dumps(counts))


def run(command):
    """Seconds, and what it printed."""
    began = time.monotonic()
    output = processes.run(command)
    return time.monotonic() - began, output


def peak(command, folder):
    """Seconds, the peak of resident bytes as a small program of Python's own tells it, and what it printed."""
    code = ("import json,resource,subprocess,sys;"
            "done=subprocess.run(sys.argv[2:],stdout=subprocess.PIPE,text=True);"
            "open(sys.argv[1],'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss*1024));"
            "print(done.stdout,end='');sys.exit(done.returncode)")
    seconds, output = run([sys.executable, "-c", code, f"{folder}/peak", *command])
    with open(f"{folder}/peak", encoding="utf-8") as file:
        return seconds, int(file.read()), output


def ours_counted(vaglio, folder):
    """The size of every audience, as `vaglio inspect` tells it."""
    _, output = run([vaglio, "inspect", "--config", f"{folder}/vaglio.yaml"])
    found = dict(re.findall(r"bench/a(\d{3})\s+\S*\s*([\d,]+)", output))
    return [int(found.get(f"{at:03}", "0").replace(",", "")) for at in range(RULES)]


def main():
    if sys.argv[1] == "--theirs":
        return theirs(sys.argv[2])
    processes.end_on_signals()
    vaglio, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    count = int(os.environ.get("VAGLIO_BENCH_PROFILES", "1000000"))
    invent(folder, count)
    configure(folder)
    runs, counts = {"vaglio": [], "duckdb": []}, {}
    for number in range(int(os.environ.get("VAGLIO_BENCH_PEERS_ROUNDS", "5"))):
        for which in ("vaglio", "duckdb") if number % 2 == 0 else ("duckdb", "vaglio"):
            if which == "vaglio":
                subprocess.run(["rm", "-rf", f"{folder}/data"], check=True)
                runs[which].append(peak([vaglio, "build", "--config", f"{folder}/vaglio.yaml"], folder)[:2])
                counts[which] = ours_counted(vaglio, folder)
            else:
                *cost, output = peak([sys.executable, os.path.abspath(__file__), "--theirs", folder], folder)
                runs[which].append(cost)
                counts[which] = json.loads(output)
    wrong = [at for at in range(RULES) if counts["vaglio"][at] != counts["duckdb"][at]]
    for at in wrong[:5]:
        print(f"DIFFERENT: a{at:03}: vaglio {counts['vaglio'][at]}, duckdb {counts['duckdb'][at]}: {list(rules())[at]}", file=sys.stderr)
    members = sum(counts["duckdb"])
    table = [f"Building {RULES} audiences from the same CSV files ({count:,} people, {3 * count:,} purchases, {members:,} members), from nothing to "
             f"what a service would load (medians of {len(runs['duckdb'])} rounds, in both orders):", "", "| | seconds | peak memory |", "|---|---|---|"]
    for which, label in (("vaglio", "`vaglio build`"), ("duckdb", f"DuckDB {duckdb.__version__}")):
        seconds, memory = (statistics.median(run[at] for run in runs[which]) for at in (0, 1))
        table.append(f"| {label} | {seconds:.1f} | {memory / 2**20:,.0f} MiB |")
    print("\n".join(table))
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            results = json.load(file)
        results["build"] = table
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
