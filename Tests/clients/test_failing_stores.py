"""Stores that hang, refuse, end connections or restart: how long requests wait, which are sent again, and when nobody is
sent there any more."""

import signal
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

import pytest

from support.authority import Authority
from support.gatehouse import eventually
from support.load import Load
from support.people import ALICE, User
from support.ports import free_port
from support.process import Process
from support.raw import RawConnection
from support.small_store import BODY
from support.stub_store import RESET, response

ONE_LOOP = ["--loops", "1"]


def config(endpoint, **options):
    options = {"connect_timeout": "20s", "response_timeout": "20s", **options}
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": endpoint, "region": "us-east-1", **options}}
        ],
        "users": [ALICE.entry("user", ["photos"])],
    }


def get(gate, key="x"):
    return gate.request("GET", f"/photos/{key}", ALICE.headers)


def test_more_requests_than_may_wait_are_told_to_slow_down(gateway, stub_store):
    release = threading.Event()

    def hang(_):
        release.wait(300)
        return response(body=b"at last")

    store = stub_store(hang)
    gate = gateway(config(store.endpoint, max_connections=1, response_timeout="60s"), arguments=ONE_LOOP)
    served, waiting, beyond = 1, 1024, 5
    connections = []
    try:
        for _ in range(served + waiting):
            connections.append(RawConnection(gate.port).request("GET", "/photos/x", ALICE.headers))
        assert eventually(lambda: gate.metric("gatehouse_inflight_requests") >= served + waiting)
        for _ in range(beyond):
            answer = get(gate)
            assert (answer.status, answer.s3_code, answer.headers["Retry-After"]) == (503, "SlowDown", "1")
        assert eventually(lambda: store.probes)
        assert store.connections == 1, "max_connections is only a word"
        release.set()
        for connection in connections[:20]:
            assert connection.answer()[::2] == (200, b"at last")
    finally:
        release.set()
        for connection in connections:
            connection.socket.close()


def left_alone(gate, status, key="x"):
    """Asks until the breaker is open: five times `status`. From then on one in each second is let through, and the others
    are told 503 by the breaker. How many were let through."""
    assert [get(gate, key).status for _ in range(5)] == [status] * 5
    started = time.monotonic()
    for _ in range(20):
        answer = get(gate, key)
        if answer.status != status or status == 503:
            assert (answer.status, answer.s3_code, answer.headers["Retry-After"]) == (503, "ServiceUnavailable", "1")
    seconds = time.monotonic() - started
    reasons = eventually(lambda: len(found := reasons_of(gate, key)) == 25 and found)
    by_breaker = [reason.startswith("the store is left alone") for reason in reasons]
    assert not any(by_breaker[:5])
    tried = 20 - sum(by_breaker)
    assert tried <= seconds + 1 and tried < 20, "the store is asked although the breaker is open"
    return tried


def reasons_of(gate, key):
    return [line.get("reason") for line in gate.access_log() if line["path"] == f"/photos/{key}"]


def test_store_that_hangs_is_left_alone_until_it_answers(gateway, stub_store):
    release = threading.Event()

    def hang(_):
        if not release.is_set():
            release.wait(300)
            return None
        return response(body=b"back")

    store = stub_store(hang)
    gate = gateway(config(store.endpoint, response_timeout="2s"), arguments=ONE_LOOP)
    tried = left_alone(gate, 504)
    assert len(store.seen) <= 5 + tried
    release.set()
    assert eventually(lambda: get(gate).status == 200)
    for _ in range(10):
        assert get(gate).body == b"back"


def test_one_callers_slow_requests_close_the_store_for_nobody_else(gateway, stub_store):
    release = threading.Event()

    def answer(seen):
        if seen.target.startswith("/photos/slow"):
            release.wait(300)
            return None
        return response(body=b"quick")

    store = stub_store(answer)
    carol = User("carol", "carol-api-key-0f6e8a2c4d1b4f7a9e3c5d7b")
    settings = config(store.endpoint, response_timeout="2s")
    settings["users"].append(carol.entry("user", ["photos"]))
    gate = gateway(settings, arguments=ONE_LOOP)
    try:
        left_alone(gate, 504, "slow")
        assert gate.request("GET", "/photos/x", carol.headers).body == b"quick"
        assert get(gate).body == b"quick", "the store has answered: it is there"
    finally:
        release.set()


def test_store_that_refuses_is_left_alone(gateway, stub_store):
    store = stub_store()
    store.stop()
    gate = gateway(config(store.endpoint, connect_timeout="200ms"), arguments=ONE_LOOP)
    left_alone(gate, 503)


def test_store_whose_certificate_nobody_vouches_for_is_left_alone(gateway, tmp_path):
    folder = tmp_path / "store"
    context = Authority().listening(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    taken = []

    def serve():
        while True:
            try:
                raw, _ = listener.accept()
                taken.append(raw)
                context.wrap_socket(raw, server_side=True).close()
            except ssl.SSLError:
                continue
            except OSError:
                if listener.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    gate = gateway(config(f"https://localhost:{listener.getsockname()[1]}"), arguments=ONE_LOOP)
    tried = left_alone(gate, 502)
    # The gateway also asks what store this is, on connections of their own: only a burst would be requests'.
    assert len(taken) <= 5 + tried + 5
    listener.close()


def test_store_that_ends_tls_without_a_word_loses_no_get(gateway, tmp_path):
    """As a process that is killed does, to a pooled connection, to a new one, and in the middle of a handshake."""
    folder = tmp_path / "gatehouse"
    context = Authority().listening(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    asked, probes = [], []

    def serve(raw):
        if len(asked) == 3:
            asked.append("handshake")
            raw.recv(10)
            raw.close()
            return
        with context.wrap_socket(raw, server_side=True) as connection:
            while head := connection.recv(65536):
                if b"/photos/" not in head:
                    connection.sendall(response(403))
                    probes.append(head)
                    continue
                asked.append(head.split()[1])
                # Closing this kind of socket sends no close_notify.
                if len(asked) in (2, 3):
                    return
                connection.sendall(response(body=b"over tls"))

    def accept():
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    endpoint = f"https://localhost:{listener.getsockname()[1]}"
    gate = gateway(config(endpoint, ca_certificate="file:ca.crt"), arguments=ONE_LOOP)
    # What store this is, is asked on a connection of its own.
    assert eventually(lambda: probes)
    for key in (b"first", b"second"):
        got = get(gate, key.decode())
        assert (got.status, got.body) == (200, b"over tls")
    assert asked == [b"/photos/first", b"/photos/second", b"/photos/second", "handshake", b"/photos/second"]
    listener.close()


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_get_that_a_new_connection_loses_is_sent_again(gateway, stub_store, ending):
    """No pooled connection is to blame: the store itself ends the first three that it takes."""
    lost = {"count": 0}

    def answer(_):
        lost["count"] += 1
        if lost["count"] <= 3:
            return None if ending == "close" else [RESET]
        return response(body=b"at the fourth")

    store = stub_store(answer)
    gate = gateway(config(store.endpoint))
    got = get(gate)
    assert (got.status, got.body) == (200, b"at the fourth")
    assert len(store.seen) == 4
    assert eventually(lambda: gate.metric("gatehouse_upstream_retries_total") == 3)


def test_store_that_always_closes_is_asked_a_few_times_only(gateway, stub_store):
    store = stub_store(lambda _: None)
    gate = gateway(config(store.endpoint))
    started = time.monotonic()
    answer = get(gate)
    assert answer.status == 502 and answer.json()["error"]["code"] == "BackendBadAnswer"
    assert len(store.seen) == 6
    assert time.monotonic() - started > 0.5, "the pauses grow"


def test_repetitions_end_with_the_time_for_a_connection(gateway, stub_store):
    store = stub_store(lambda _: None)
    gate = gateway(config(store.endpoint, connect_timeout="1s"))
    assert get(gate).status == 502
    assert 1 <= len(store.seen) <= 5


def test_what_cannot_be_sent_twice_is_not(gateway, stub_store):
    store = stub_store(lambda _: None)
    gate = gateway(config(store.endpoint))
    for method, path, headers, body in [
        ("PUT", "/photos/x", {"If-None-Match": "*"}, b"create only"),
        ("POST", "/photos/x?uploads", {}, None),
        ("PUT", "/photos/x", {}, b"x" * 200_000),
    ]:
        answer = gate.request(method, path, {**ALICE.headers, **headers}, body)
        assert answer.status == 502 and answer.json()["error"]["code"] == "BackendBadAnswer"
    assert [seen.method for seen in store.seen] == ["PUT", "POST", "PUT"]


PARTS = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e1</ETag></Part></CompleteMultipartUpload>"
ONCE_ONLY = {
    "create-only write": ("PUT", "/photos/x", {"If-None-Match": "*"}, b"create only"),
    "write over what is known": ("PUT", "/photos/x", {"If-Match": '"known"'}, b"over it"),
    "beginning of an upload": ("POST", "/photos/x?uploads", {}, b""),
    "completion of an upload": ("POST", "/photos/x?uploadId=u", {}, PARTS),
    "create-only completion": ("POST", "/photos/x?uploadId=u", {"If-None-Match": "*"}, PARTS),
    "end of an upload": ("DELETE", "/photos/x?uploadId=u", {}, b""),
    "body that is not kept": ("PUT", "/photos/x", {}, b"x" * 200_000),
}
WORN = pytest.mark.parametrize("request_", ONCE_ONLY.values(), ids=ONCE_ONLY)


def storing(seen):
    if "?uploads" in seen.target:
        made = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        return response(body=made.encode())
    if seen.method == "POST":
        whole = "<CompleteMultipartUploadResult><ETag>&quot;whole-1&quot;</ETag></CompleteMultipartUploadResult>"
        return response(body=whole.encode())
    return response(204 if seen.method == "DELETE" else 200, [("ETag", '"e"')])


@WORN
def test_what_cannot_be_sent_twice_is_not_sent_on_a_connection_that_has_ended(gateway, stub_store, request_):
    """The store ends its idle connection in the moment in which a request comes: the gateway, held still so long, finds
    the request first and the connection's end behind it."""
    method, path, headers, body = request_
    store = stub_store(storing)
    gate = gateway(config(store.endpoint), arguments=ONE_LOOP)
    with RawConnection(gate.port) as connection:
        for n in range(3):
            assert connection.request("GET", "/photos/warm", ALICE.headers).answer()[0] == 200
            with gate.process.held_still():
                connection.request(method, path, {**ALICE.headers, **headers}, body)
                store.end_connections()
            status, _, answer = connection.answer(method)
            assert status in (200, 204), (n, answer)
    assert [seen.method for seen in store.seen] == 3 * ["GET", method], "it was sent twice"


@WORN
def test_what_cannot_be_sent_twice_is_not_sent_on_a_connection_that_has_rested_for_long(gateway, stub_store, request_):
    """A store that keeps connections for two seconds ends one just when the request is on its way there."""
    method, path, headers, body = request_
    store = stub_store(storing)
    store.keep_alive = 2
    gate = gateway(config(store.endpoint), arguments=ONE_LOOP)
    with RawConnection(gate.port) as connection:
        assert connection.request("GET", "/photos/warm", ALICE.headers).answer()[0] == 200
        time.sleep(2.1)
        status, _, answer = connection.request(method, path, {**ALICE.headers, **headers}, body).answer(method)
        assert status in (200, 204), answer


class Pace:
    """How often so much time passed from a request to the answer to the next that a connection may have rested for more
    than the second for which one counts as lively."""

    def __init__(self):
        self.asked = None
        self.pauses = 0

    def answer(self, connection, method, path, headers, body=b""):
        before, self.asked = self.asked, time.monotonic()
        answer = connection.request(method, path, {**ALICE.headers, **headers}, body).answer(method)
        if before and time.monotonic() - before > 0.9:
            self.pauses += 1
        return answer


def test_what_cannot_be_sent_twice_uses_the_connection_of_the_request_before_it(gateway, stub_store):
    store = stub_store(storing)
    gate = gateway(config(store.endpoint), arguments=ONE_LOOP)
    pace = Pace()
    with RawConnection(gate.port) as connection:
        for _ in range(5):
            for method, path, headers, body in ONCE_ONLY.values():
                assert pace.answer(connection, method, path, headers, body)[0] < 300
    assert eventually(lambda: store.probes)
    assert store.connections <= 1 + pace.pauses, "a connection is made for each of them"


def test_what_cannot_be_sent_twice_keeps_to_one_connection_over_tls(gateway, tmp_path):
    """What TLS itself says behind a handshake is no news of the connection's end."""
    context = Authority().listening(tmp_path / "gatehouse")
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve(raw, number):
        with context.wrap_socket(raw, server_side=True) as connection:
            while head := connection.recv(65536):
                if b"/photos/" not in head:
                    connection.sendall(response(403))
                    continue
                asked.append(number)
                connection.sendall(response(headers=[("ETag", '"e"')]))

    def accept():
        number = 0
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(raw, number), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()
    endpoint = f"https://localhost:{listener.getsockname()[1]}"
    gate = gateway(config(endpoint, ca_certificate="file:ca.crt"), arguments=ONE_LOOP)
    pace = Pace()
    with RawConnection(gate.port) as connection:
        for _ in range(5):
            headers = {"If-None-Match": "*", "Content-Length": "0"}
            assert pace.answer(connection, "PUT", "/photos/x", headers)[0] == 200
    assert len(asked) == 5 and len(set(asked)) <= 1 + pace.pauses, "a handshake is made for each of them"
    listener.close()


def test_no_room_for_a_new_connection_closes_one_that_rests(gateway, stub_store):
    """The limit is used up by a connection that has rested for long: what may not go out on it waits for no other."""
    store = stub_store(storing)
    gate = gateway(config(store.endpoint, max_connections=1), arguments=ONE_LOOP)
    with RawConnection(gate.port) as connection:
        assert connection.request("GET", "/photos/warm", ALICE.headers).answer()[0] == 200
        time.sleep(1.2)
        put = connection.request("PUT", "/photos/x", {**ALICE.headers, "If-None-Match": "*"}, b"create only")
        assert put.answer("PUT")[0] == 200
    assert eventually(lambda: store.probes)
    assert store.connections == 2


def test_restart_between_two_requests_fails_no_write(gateway, tmp_path):
    """The process is killed and comes back while clients pause: whatever they send next is carried out, once."""
    store = RestartingStore(tmp_path / "store")
    try:
        gate = gateway(config(f"http://127.0.0.1:{store.port}", connect_timeout="60s", response_timeout="60s"))
        connections = [RawConnection(gate.port) for _ in range(4)]
        for _ in range(3):
            for connection in connections:
                for method, path, headers, body in (each for each in ONCE_ONLY.values() if each[0] == "PUT"):
                    answer = connection.request(method, path, {**ALICE.headers, **headers}, body).answer(method)
                    assert answer[0] == 200, (headers, answer)
            store.restart(away=0.1)
        for connection in connections:
            connection.socket.close()
    finally:
        store.process.kill()


class RestartingStore:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.command = [sys.executable, Path(__file__).parent / "support" / "small_store.py", str(self.port)]
        self.start()

    def start(self):
        self.process = Process("store", self.command, self.folder)
        self.process.wait_until(self._takes_connections, 120)

    def _takes_connections(self):
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        return True

    def restart(self, away):
        """Killed, gone for a while, and at first it ends what it has just taken."""
        self.process.kill()
        time.sleep(away)
        until = time.monotonic() + 0.4
        with socket.create_server(("127.0.0.1", self.port)) as stumbling:
            while (left := until - time.monotonic()) > 0:
                stumbling.settimeout(left)
                try:
                    taken, _ = stumbling.accept()
                except TimeoutError:
                    break
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                taken.close()
        self.start()


def test_restart_of_a_store_fails_only_what_cannot_be_sent_again(gateway, tmp_path):
    """A process that is killed and comes back sooner than connect_timeout: every GET is answered; an upload whose body is
    gone is one clean error."""
    store = RestartingStore(tmp_path / "store")
    try:
        gate = gateway(config(f"http://127.0.0.1:{store.port}", connect_timeout="60s", response_timeout="60s"))
        with Load(gate.port, "/photos/x", ALICE.headers, BODY, threads=6, pause=0.002) as load:
            for round_ in range(2):
                load.wait_for(100)
                with RawConnection(gate.port) as upload:
                    upload.request("PUT", "/photos/up", {**ALICE.headers, "Content-Length": "1000000"})
                    upload.send(b"x" * 400_000)
                    assert eventually(lambda: store.process.output().count(" of 1000000 bytes") == round_ + 1)
                    store.restart(away=0.7)
                    upload.send(b"x" * 100)
                    status, headers, body = upload.answer()
                    assert status == 502 and b"BackendBadAnswer" in body
                load.wait_for(100)
        assert load.failures == []
    finally:
        store.process.kill()
