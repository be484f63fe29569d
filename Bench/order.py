"""Writes Bench/functions.order: the functions that requests run through, for the linker to lay beside one another.

    python Bench/order.py [--requests 2000]

Each kind of request is sent to the release build under callgrind. A function goes behind the one that calls it most
(call-chain clustering: Ottoni and Maher, "Optimizing Function Placement for Large-Scale Data-Center Applications",
CGO 2017), and of these chains those come first that run most instructions a byte.
"""

import argparse
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from contenders import ROOT, Gatehouse, GatewayChecks, Origin, PresignedGatehouse, gatehouse_binary, program

ORDER = ROOT / "Bench" / "functions.order"
# Fewer instructions a request, in whatever kind of it, are of something that happens now and then.
LEAST = 8
# A chain grows to the size of what the processor's table of addresses holds at once.
LARGEST = 64 * 1024


class Putting(Gatehouse):
    name = "Gatehouse, PUT"
    method = "PUT"


WORK = (Gatehouse, PresignedGatehouse, GatewayChecks, Putting)


def traced(work):
    """The same contender under callgrind, which counts nothing until it is told to."""

    class Traced(work):
        def command(self):
            self.calls = self.folder / "calls"
            return [
                program("valgrind"), "--tool=callgrind", "--instr-atstart=no", "--demangle=no",
                f"--callgrind-out-file={self.calls}", *super().command(),
            ]

        def count(self, on):
            subprocess.run(
                [program("callgrind_control"), "-i", "on" if on else "off", str(self.pid)],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )

    return Traced


def send(contender, requests):
    """So many of its requests, one after the other on one connection."""
    method = getattr(contender, "method", "GET")
    body = bytes(1024) if method == "PUT" else b""
    fields = {"Host": f"127.0.0.1:{contender.port}", "Content-Length": len(body), **contender.headers()}
    head = f"{method} {contender.path('put' if body else '1k', method)} HTTP/1.1\r\n"
    request = (head + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode() + body
    with socket.create_connection(("127.0.0.1", contender.port), timeout=60) as connection:
        stream = connection.makefile("rb")
        for _ in range(requests):
            connection.sendall(request)
            status, length = stream.readline(), 0
            if b" 200 " not in status and b" 201 " not in status and b" 204 " not in status:
                sys.exit(f"{contender.name}: {status!r}")
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            stream.read(length)


class Calls:
    """What a request costs in each function, and how often one calls another, summed over the kinds of work."""

    def __init__(self):
        self.instructions, self.calls, self.hot = defaultdict(float), defaultdict(float), set()

    def add(self, file, requests):
        """Reads callgrind's output format: names are given once, later by number."""
        names, spent = {}, defaultdict(float)

        def named(text):
            number, _, name = text.partition(" ")
            if name:
                names[number] = re.sub(r"'\d+$", "", name)
            return names[number]

        caller = callee = None
        times = 0
        for line in Path(file).read_text(errors="replace").splitlines():
            if line.startswith("fn="):
                caller = named(line[3:])
            elif line.startswith("cfn="):
                callee = named(line[4:])
            elif line.startswith("calls="):
                times = int(line[6:].split()[0])
            elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                if callee:
                    self.calls[caller, callee] += times / requests
                    callee = None
                else:
                    spent[caller] += int(line.split()[-1]) / requests
        self.hot |= {name for name in spent if spent[name] >= LEAST}
        for name in spent:
            self.instructions[name] += spent[name]


def sizes(binary):
    """Bytes of each function in the executable."""
    listed = subprocess.run(["nm", "-S", "--defined-only", binary], check=True, capture_output=True, text=True).stdout
    fields = (line.split() for line in listed.splitlines())
    return {each[3]: int(each[1], 16) for each in fields if len(each) == 4 and each[2] in "tTwW"}


def chains(calls, size):
    """Functions in the order in which they are to lie."""
    hot = {name for name in calls.hot if size.get(name)}
    callers = {}
    for (caller, callee), times in sorted(calls.calls.items()):
        if caller in hot and callee in hot and caller != callee and times > callers.get(callee, (0, None))[0]:
            callers[callee] = (times, caller)

    def density(names):
        return sum(calls.instructions[name] for name in names) / sum(size[name] for name in names)

    chain = {name: [name] for name in hot}
    for name in sorted(hot, key=lambda each: (-density([each]), each)):
        if name not in callers:
            continue
        before, behind = chain[callers[name][1]], chain[name]
        if before is behind or sum(size[each] for each in before + behind) > LARGEST:
            continue
        before += behind
        for each in behind:
            chain[each] = before
    distinct = {id(names): names for names in chain.values()}.values()
    return [name for names in sorted(distinct, key=lambda each: (-density(each), each[0])) for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000, help="of each kind")
    requests = parser.parse_args().requests
    if not gatehouse_binary().exists():
        sys.exit(f"{gatehouse_binary()} is not there: make order builds it")
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-order-", dir="/dev/shm"))
    calls = Calls()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # Valgrind gives up over debugging information that is newer than itself.
        stripped = folder / "gatehouse"
        subprocess.run(["strip", "--strip-debug", "-o", stripped, gatehouse_binary()], check=True)
        os.environ["GATEHOUSE_BINARY"] = str(stripped)
        origin = Origin(folder)
        (origin.objects / "bench" / "1k").write_bytes(bytes(1024))
        origin.start()
        stack.callback(origin.stop)
        for work in WORK:
            contender = traced(work)(folder, origin)
            stack.callback(contender.stop)
            contender.start(deadline=300)
            send(contender, requests // 10)
            contender.count(True)
            send(contender, requests)
            contender.count(False)
            contender.stop()
            calls.add(contender.calls, requests)
            print(f"{contender.name}: {requests} requests followed", flush=True)
        size = sizes(gatehouse_binary())
    order = chains(calls, size)
    ORDER.write_text("".join(f"{name}\n" for name in order))
    print(f"{len(order)} functions, {sum(size[name] for name in order) // 1024} KiB of {sum(size.values()) // 1024}")


if __name__ == "__main__":
    main()
