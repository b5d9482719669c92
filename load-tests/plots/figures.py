"""What `cargo bench --bench growth` measured, read, and how its figures are written in tables."""
import csv
import math
import statistics


def read(path):
    """Rows are `series,profiles,audiences,measure,value`; of several with the same names the median counts."""
    rows = {}
    with open(path, encoding="utf-8", newline="") as file:
        for series, profiles, audiences, measure, value in csv.reader(file):
            rows.setdefault((series, int(profiles), int(audiences), measure), []).append(float(value))
    return {key: statistics.median(values) for key, values in rows.items()}


def number(value, digits=3):
    """Three digits that count, thousands apart; a dash for what was not measured."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, decimals):,.{decimals}f}"
