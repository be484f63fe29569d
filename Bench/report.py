"""Figures → a table for people, JSON for programs, and the part of docs/performance.md between its markers."""

import json
import platform
import statistics
from pathlib import Path

BEGIN = "<!-- make bench writes from here -->"
END = "<!-- to here -->"


def median(values):
    return statistics.median(values) if values else None


def shown(value, digits=3):
    return "" if value is None else f"{value:.{digits}f}"


def ratio(value, base):
    return "" if value is None or not base else f"{value / base:.2f}"


def machine():
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model or platform.machine()}, kernel {platform.release()}"


def rows_of(results, scenario):
    """contender → median, for those that have a figure."""
    return {name: median(values) for name, values in results.get(scenario, {}).items() if values}


def markdown_table(header, rows):
    """Rows without any figure are left out."""
    rows = [row for row in rows if any(row[1:])]
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def tables(results, names, small, large):
    """The Markdown text of all tables."""
    parts = []
    header = ["CPU seconds per 10,000 GETs"] + [label for label, _ in small]
    rows = [[name] + [shown(rows_of(results, key).get(name)) for _, key in small] for name in names]
    parts.append(markdown_table(header, rows))
    for base in ("Envoy", "nginx", "Gatehouse, API key"):
        if base not in names:
            continue
        rows = [
            [name] + [ratio(rows_of(results, key).get(name), rows_of(results, key).get(base)) for _, key in small]
            for name in names
        ]
        parts.append(markdown_table([f"the same, as a share of {base}"] + [label for label, _ in small], rows))
    rows = []
    for name in names:
        row = [name]
        for _, key, scale, digits in large:
            value = rows_of(results, key).get(name)
            row.append(shown(None if value is None else value * scale, digits))
        rows.append(row)
    parts.append(markdown_table(["Large objects and memory"] + [label for label, *_ in large], rows))
    return "\n\n".join(parts)


def update_document(path, text):
    """Replaces what stands between the markers."""
    document = path.read_text()
    before, rest = document.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    path.write_text(before + BEGIN + "\n\n" + text.strip() + "\n\n" + END + after)


def write_json(path, context, results):
    medians = {key: rows_of(results, key) for key in results}
    path.write_text(json.dumps({"context": context, "medians": medians, "rounds": results}, indent=1) + "\n")
