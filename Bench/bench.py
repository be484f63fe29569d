"""Measures Gatehouse beside other proxies on the same work in the same run, and writes down what came out.

    python Bench/bench.py [--only nginx,envoy,gatehouse] [--rounds 3] [--seconds 2] [--small] [--quick] [--no-document]

One thread each; the contender on core 0, origin and load on core 1. CPU time is the kernel's accounting of the
contender's process; medians of interleaved rounds (each round visits every contender before the next begins).
"""

import argparse
import datetime
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import measure
import report
import uploads
from contenders import ALL, BEHIND_SEAWEED, IDLE, ROOT, WITHOUT_BYTES, Gatehouse, Origin, Seaweed, gatehouse_binary

LARGE = 256 * 1024 * 1024


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ALL), help="contenders, by comma: " + ", ".join(ALL))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of load per measurement of small objects")
    parser.add_argument("--small", action="store_true", help="small objects only")
    parser.add_argument("--quick", action="store_true", help="one round, 16 connections, no large objects")
    parser.add_argument("--no-document", action="store_true", help="leave docs/performance.md and the JSON alone")
    return parser.parse_args()


class Bench:
    def __init__(self, chosen, folder, options):
        self.folder, self.options = folder, options
        self.results, self.problems = {}, []
        self.origin = Origin(folder)
        for name, size in (("1k", 1024), ("16k", 16384), ("large", LARGE)):
            with open(self.origin.objects / "bench" / name, "wb") as file:
                for _ in range(0, size, 1 << 20):
                    file.write(os.urandom(min(size, 1 << 20)))
        self.chosen = chosen
        self.running = []
        self.store = None

    def start(self):
        self.origin.start()
        if BEHIND_SEAWEED & set(self.chosen):
            self.store = Seaweed(self.folder, self.origin).start()
        for name in self.chosen:
            upstream = self.store if name in BEHIND_SEAWEED else self.origin
            contender = ALL[name](self.folder, upstream)
            # Three starts: the figure is the median, the last one stays.
            for attempt in range(3):
                contender.start()
                self.note("start", contender, contender.start_seconds)
                if attempt < 2:
                    contender.stop()
            time.sleep(1)
            self.note("idle", contender, measure.resident_bytes(contender.pid))
            self.running.append((name, contender))
            print(f"{contender.name}: ready after {contender.start_seconds * 1000:.0f} ms", flush=True)

    def stop(self):
        for _, contender in self.running:
            contender.stop()
        for each in (self.store, self.origin):
            if each:
                each.stop()

    def note(self, scenario, contender, value):
        self.results.setdefault(scenario, {}).setdefault(contender.name, []).append(value)

    def rounds(self, scenario, contenders, once):
        for round_ in range(self.options.rounds):
            for contender in contenders:
                try:
                    value = once(contender)
                except measure.Failed as error:
                    self.problems.append(str(error))
                    print(f"  FAILED {error}", flush=True)
                    continue
                self.note(scenario, contender, value)
                print(f"  {scenario:>12} round {round_ + 1}  {contender.name:<32} {value:.4g}", flush=True)

    def run(self):
        everyone = [contender for name, contender in self.running if name not in IDLE]
        with_bytes = [contender for name, contender in self.running if name not in WITHOUT_BYTES | IDLE]
        connections = (16,) if self.options.quick else (1, 16, 64)
        for object_name in ("1k", "16k"):
            for count in connections:
                self.rounds(
                    f"{object_name}/{count}", everyone if object_name == "1k" else with_bytes,
                    lambda each: measure.small_objects(each, object_name, count, self.options.seconds),
                )
        deciding = [contender for name, contender in self.running if name in ("gatehouse", *WITHOUT_BYTES)]
        self.rounds("p99/64", deciding, lambda each: measure.late(each, "1k", 64, self.options.seconds))
        if self.options.quick or self.options.small:
            return
        source = self.origin.objects / "bench" / "large"
        self.rounds("get", with_bytes, lambda each: measure.large_get(each, LARGE, 4))
        self.rounds(
            "put", [each for each in with_bytes if each.can_put],
            lambda each: measure.large_put(each, source, LARGE, 4),
        )
        self.uploads(source)
        with_memory = [each for each in with_bytes if each.memory_rows]
        self.rounds("slow", with_memory, lambda each: measure.slow_readers(each, 32, 4))

    def uploads(self, source):
        """The same object in every form that a client may send it in, and what hashing it costs by itself."""
        gateway = next((contender for name, contender in self.running if name == "gatehouse"), None)
        if gateway is None:
            return
        # Made one after the other: each holds a body in memory.
        for round_ in range(self.options.rounds):
            for name in uploads.NAMES:
                try:
                    value = uploads.Upload(name, gateway, source).once(LARGE, 4)
                except measure.Failed as error:
                    self.problems.append(str(error))
                    print(f"  FAILED {error}", flush=True)
                    continue
                self.results.setdefault("uploads", {}).setdefault(name, []).append(value)
                print(f"  {'upload':>12} round {round_ + 1}  {name:<32} {value:.4g}", flush=True)
            self.results.setdefault("uploads", {}).setdefault(uploads.HASHED, []).append(uploads.hash_alone(source, 4))

    def upload_table(self):
        figures = report.rows_of(self.results, "uploads")
        base = figures.get("UNSIGNED-PAYLOAD")
        rows = [
            [name, report.shown(value), report.ratio(value, base)] for name, value in figures.items()
        ]
        header = ["upload of 1 GiB through Gatehouse", "CPU s/GiB", "of UNSIGNED-PAYLOAD"]
        return "\n\n" + report.markdown_table(header, rows) if figures else ""

    def report(self):
        names = [contender.name for _, contender in self.running]
        small = [
            (f"{size.upper()[:-1]} KiB, {count} conns", f"{size}/{count}")
            for size in ("1k", "16k") for count in (1, 16, 64) if f"{size}/{count}" in self.results
        ]
        mebibyte = 1 / (1024 * 1024)
        large = [
            ("GET 256 MiB, CPU s/GiB", "get", 1, 3), ("PUT 256 MiB, CPU s/GiB", "put", 1, 3),
            ("peak MiB, 32 slow readers", "slow", mebibyte, 0), ("idle MiB", "idle", mebibyte, 0),
            ("ready after ms", "start", 1000, 0), ("99 of 100 within ms, 1 KiB, 64 conns", "p99/64", 1, 1),
        ]
        notes = "\n".join(
            f"- {contender.name}: {contender.version()}; {contender.note}." for _, contender in self.running
        )
        day = datetime.date.today().isoformat()
        text = (
            f"Measured {day} on {report.machine()}; medians of {self.options.rounds} interleaved rounds, "
            f"contender pinned to core 0, origin and load to core 1.\n\n"
            + report.tables(self.results, names, small, large) + self.upload_table() + "\n\n" + notes
        )
        print("\n" + text)
        if self.problems:
            print("\nNot measured:\n" + "\n".join(self.problems))
        if not (self.options.no_document or self.options.quick or self.options.small):
            report.update_document(ROOT / "docs" / "performance.md", text)
            context = {"day": day, "machine": report.machine(), "rounds": self.options.rounds,
                       "versions": {contender.name: contender.version() for _, contender in self.running}}
            report.write_json(ROOT / "Bench" / "results.json", context, self.results)
        return 1 if self.problems else 0


def main():
    given = options()
    if given.quick:
        given.rounds = 1
    chosen = [name for name in given.only.split(",") if name]
    unknown = [name for name in chosen if name not in ALL]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(ALL)}")
    if any(issubclass(ALL[name], Gatehouse) for name in chosen) and not gatehouse_binary().exists():
        sys.exit(f"{gatehouse_binary()} is not there: make bench builds it")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("two cores are needed: one for the contender, one for origin and load")
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-", dir="/dev/shm"))
    bench = Bench([name for name in ALL if name in chosen], folder, given)
    try:
        bench.start()
        bench.run()
        sys.exit(bench.report())
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
