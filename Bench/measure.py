"""One measurement each: what a contender spent, by the kernel's accounting, on work that was seen to succeed."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

from contenders import LOAD_CORE, program

TICK = os.sysconf("SC_CLK_TCK")
GIB = 1024 ** 3


class Failed(Exception):
    """The work was not done: no figure."""


def cpu_seconds(pid):
    """User and system time of a process with all its threads, those that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def status_bytes(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def resident_bytes(pid):
    return status_bytes(pid, "VmRSS")


def small_objects(contender, object_name, connections, seconds, at_least=10_000):
    """CPU seconds per 10,000 GETs with wrk, over as many runs as it takes to see that many."""
    headers = [part for name, value in contender.headers().items() for part in ("-H", f"{name}: {value}")]
    requests, before = 0, cpu_seconds(contender.pid)
    for _ in range(5):
        done = subprocess.run(
            ["taskset", "-c", LOAD_CORE, program("wrk"), "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
             "--timeout", "10s", *headers, contender.url(object_name)],
            capture_output=True, text=True, timeout=seconds + 60,
        )
        counted = re.search(r"(\d+) requests in", done.stdout)
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done.stdout)
        if not counted or wrong:
            raise Failed(f"{contender.name}: {done.stdout[-400:]}{done.stderr[-400:]}")
        requests += int(counted.group(1))
        if requests >= at_least:
            return (cpu_seconds(contender.pid) - before) / requests * 10_000
    raise Failed(f"{contender.name}: only {requests} requests in {5 * seconds} s")


def late(contender, object_name, connections, seconds):
    """Milliseconds within which 99 of 100 GETs are answered, the contender being as busy as it can be."""
    headers = [part for name, value in contender.headers().items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, program("wrk"), "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
         "--latency", *headers, contender.url(object_name)],
        capture_output=True, text=True, timeout=seconds + 60,
    )
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    if not found or "Non-2xx" in done.stdout:
        raise Failed(f"{contender.name}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return float(found.group(1)) * {"us": 0.001, "ms": 1, "s": 1000}[found.group(2)]


def curl(contender, arguments, timeout=300):
    headers = [part for name, value in contender.headers().items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "curl", "-sS", "--fail", *headers, *arguments],
        capture_output=True, text=True, timeout=timeout,
    )
    if done.returncode != 0:
        raise Failed(f"{contender.name}: curl exit {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def large_get(contender, size, times):
    """CPU seconds per GiB of GETs of the large object."""
    before = cpu_seconds(contender.pid)
    for _ in range(times):
        got = curl(contender, ["-o", "/dev/null", "-w", "%{size_download}", contender.url("large")])
        if int(float(got)) != size:
            raise Failed(f"{contender.name}: {got} bytes instead of {size}")
    return (cpu_seconds(contender.pid) - before) / (size * times / GIB)


def large_put(contender, source, size, times):
    """CPU seconds per GiB of PUTs of the large object."""
    before = cpu_seconds(contender.pid)
    for _ in range(times):
        contender.origin.forget_put()
        curl(contender, ["-H", "Expect:", "-T", str(source), "-o", "/dev/null", contender.url("put", "PUT")])
        if contender.origin.put_size() != size:
            raise Failed(f"{contender.name}: the store has {contender.origin.put_size()} bytes instead of {size}")
    spent = cpu_seconds(contender.pid) - before
    contender.origin.forget_put()
    return spent / (size * times / GIB)


def slow_readers(contender, count, seconds):
    """Peak resident bytes while `count` clients read the large object at some 640 KiB/s each."""
    Path(f"/proc/{contender.pid}/clear_refs").write_text("5")
    target = contender.path("large")
    fields = {"Host": f"127.0.0.1:{contender.port}", **contender.headers()}
    head = f"GET {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    readers = []
    for _ in range(count):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        reader.settimeout(10)
        reader.connect(("127.0.0.1", contender.port))
        reader.sendall(head.encode())
        readers.append(reader)
    end = time.monotonic() + seconds
    try:
        for reader in readers:
            if not reader.recv(65536).startswith(b"HTTP/1.1 200"):
                raise Failed(f"{contender.name}: a slow reader was refused")
        while time.monotonic() < end:
            for reader in readers:
                reader.recv(65536)
            time.sleep(0.1)
        return status_bytes(contender.pid, "VmHWM")
    finally:
        for reader in readers:
            reader.close()
