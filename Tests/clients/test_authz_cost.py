"""What a decision for another gateway costs: no disk, no network, nothing but the gateway's own connection."""

import http.client
import os
import re
import shutil
import subprocess

import pytest

from support.gatehouse import eventually
from support.people import ALICE, FULL, account, everywhere
from support.stub_store import StubStore


def test_a_decision_touches_neither_disk_nor_network(tmp_path, gateway):
    if not shutil.which("strace"):
        # `Scripts/install test` brings it: on a machine that checks every change it is there, or something is broken.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs strace")
    store = StubStore()
    store.access_key, store.secret_key = "AKSTORE", "store-secret-0123456789"
    gate = gateway({
        "accounts": [account("north", store, ["photos"])],
        "users": [ALICE.entry("user", ["photos"])],
        "credentials": [FULL.entry(everywhere())],
        "ext_authz": {"gateways": ["127.0.0.1"], "strip_prefix": "/s3"},
        "access_log": {"path": ""},
    }, arguments=["--loops", "1"])
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=120)

    def ask(count, status, headers=ALICE.headers):
        for number in range(count):
            connection.request("GET", f"/-/authz/envoy/s3/photos/key-{number % 7}", headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status

    ask(20, 200)
    mine = str(connection.sock.getsockname()[1])
    asked = len(store.seen)
    traced = tmp_path / "trace"
    tracer = subprocess.Popen(
        ["strace", "-f", "-yy", "-o", traced, "-p", str(gate.process.pid)], stderr=subprocess.PIPE, text=True
    )
    try:
        attached = tracer.stderr.readline()
        if "attached" not in attached:
            # Some containers forbid it to everybody.
            pytest.skip(f"may not trace: {attached}")
        # Every thread is, once what the one that serves does is written down.
        assert eventually(lambda: ask(1, 200) or f":{mine}" in traced.read_text())
        start = traced.stat().st_size
        ask(200, 200)
        ask(50, 401, {"x-api-key": "wrong"})
    finally:
        tracer.terminate()
        tracer.wait()
    lines = traced.read_text()[start:].splitlines()
    served = {line.split()[0] for line in lines if f":{mine}" in line}
    assert len(served) == 1, "one loop served the connection"
    calls = [re.sub(r"^\d+ +(<\.\.\. )?", "", line) for line in lines if line.split()[0] in served]
    named = {re.match(r"\w+", call)[0] for call in calls if re.match(r"\w+", call)}
    # The last lines: memory, locks among our own threads, and threads of our own that begin.
    assert named <= {"read", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg", "epoll_wait", "epoll_pwait",
                     "epoll_ctl", "timerfd_settime", "clock_gettime", "getrandom",
                     "futex", "gettid", "sched_yield", "madvise", "mprotect",
                     "mmap", "munmap", "clone", "clone3", "rt_sigprocmask"}, named
    assert not [call for call in calls if call.startswith("mmap(") and "MAP_ANONYMOUS" not in call]
    # Every byte that was read or written was of that connection, or woke a thread of our own.
    for call in calls:
        if re.match(r"(read|recv|write|send)", call) and "resumed" not in call:
            assert f":{mine}" in call or "anon_inode" in call or "UNIX" in call, call
    # Elsewhere, the audit log is written; nobody waits for it, and nobody else was asked.
    assert not [line for line in lines if re.search(r"\bconnect\(", line)]
    assert len(store.seen) == asked
