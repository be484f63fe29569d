"""Clients that don't wait: requests behind requests, heads in pieces, bodies that go on after the answer."""

import hashlib
import os
import socket
import threading

import pytest

from support.gatehouse import eventually
from support.people import ALICE
from support.raw import RawConnection
from support.stub_store import response

MIB = 1024 * 1024
OTHER_HASH = hashlib.sha256(b"another body").hexdigest()


def config(store, **server):
    return {
        "server": server,
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1"}}
        ],
        "users": [ALICE.entry("user", ["photos"])],
    }


def read_everything(connection, into):
    """Reads until the other side closes, on a thread of its own."""

    def read():
        try:
            while piece := connection.socket.recv(262144):
                into.extend(piece)
        except OSError:
            pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def leave(connection, reader):
    """Ends both directions, which wakes the thread that reads."""
    connection.socket.shutdown(socket.SHUT_RDWR)
    reader.join(120)


def test_pipelined_requests_that_end_mid_head_do_not_grow_memory(gateway, stub_store):
    """However the bytes are cut, what has been served is let go."""
    gate = gateway(config(stub_store()))
    head = b"GET /-/health HTTP/1.1\r\nHost: a\r\nX-Filler: " + b"y" * 15_013 + b"\r\n\r\n"
    rounds, per_round, cut = 400, 10, 100
    answers = bytearray()
    with RawConnection(gate.port, timeout=60) as connection:
        connection.send(head * per_round)
        reader = read_everything(connection, answers)
        assert eventually(lambda: answers.count(b"HTTP/1.1 200 ") == per_round)
        before = gate.process.resident_bytes()
        segment = head[-cut:] + head * (per_round - 1) + head[:-cut]
        connection.send(head[:-cut])
        peak = 0
        for _ in range(rounds):
            connection.send(segment)
            peak = max(peak, gate.process.resident_bytes())
        connection.send(head[-cut:])
        sent = per_round + rounds * per_round + 1
        assert eventually(lambda: answers.count(b"HTTP/1.1 ") >= sent)
        peak = max(peak, gate.process.resident_bytes())
        leave(connection, reader)
    assert answers.count(b"HTTP/1.1 200 ") == sent
    offered = rounds * len(segment)
    assert peak - before < 20 * MIB, f"{(peak - before) / MIB:.0f} MiB after {offered / MIB:.0f} MiB of requests"


def test_pipelined_requests_of_a_client_that_reads_nothing_do_not_grow_memory(gateway, stub_store):
    """Answers that nobody takes stop the reading of further requests."""
    gate = gateway(config(stub_store()))
    requests = (b"GET /-/health HTTP/1.1\r\nHost: a\r\nX-Filler: " + b"y" * 160 + b"\r\n\r\n") * 1000
    with RawConnection(gate.port, timeout=2) as connection:
        before, sent = gate.process.resident_bytes(), 0
        try:
            while sent < 8 * MIB:
                sent += connection.socket.send(requests[sent % len(requests):])
        except TimeoutError:
            pass
        grown = gate.process.resident_bytes() - before
        assert grown < 20 * MIB, f"{grown / MIB:.0f} MiB after {sent / MIB:.0f} MiB of requests"
        assert gate.status_of("/-/health") == 200
        # Nothing is lost by that: whoever reads after all gets every answer.
        connection.socket.settimeout(30)
        answers = bytearray()
        reader = read_everything(connection, answers)
        connection.send(requests[sent % len(requests):] if sent % len(requests) else b"")
        expected = -(-sent // len(requests)) * 1000
        assert eventually(lambda: answers.count(b"HTTP/1.1 200 ") >= expected)
        leave(connection, reader)


def test_whoever_says_that_nothing_more_comes_still_hears_every_answer(gateway, stub_store):
    """`printf … | nc -N`: requests and the end of them arrive at once, before any answer is written."""
    gate = gateway(config(stub_store()))
    head = b"GET /-/health HTTP/1.1\r\nHost: a\r\n\r\n"
    for count in (1, 2, 100) * 10:
        with RawConnection(gate.port) as connection:
            connection.send(head * count)
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.rest().count(b"HTTP/1.1 200 ") == count


def test_a_request_that_is_none_takes_no_earlier_answer_along(gateway, stub_store):
    gate = gateway(config(stub_store()))
    head = b"GET /-/health HTTP/1.1\r\nHost: a\r\n\r\n"
    with RawConnection(gate.port) as connection:
        connection.send(head * 3 + b"nonsense\r\n\r\n")
        answers = connection.rest()
    assert answers.count(b"HTTP/1.1 200 ") == 3 and answers.count(b"HTTP/1.1 400 ") == 1


def test_hash_mismatch_after_an_early_answer_never_adds_a_second_head(gateway, stub_store):
    """The store answers while the body still comes, and then the body is not what its hash promised."""
    store = stub_store()
    store.early = lambda seen: response(body=b"0123456789")[:-5]
    gate = gateway(config(store))
    body = os.urandom(64 * 1024)
    with RawConnection(gate.port) as connection:
        headers = {**ALICE.headers, "Content-Length": str(len(body)), "x-amz-content-sha256": OTHER_HASH}
        connection.request("PUT", "/photos/x", headers)
        connection.send(body[:40_000])
        assert connection.head()[0] == 200
        connection.send(body[40_000:] + b"GET /-/health HTTP/1.1\r\nHost: a\r\n\r\n")
        rest = connection.rest()
    assert rest == b"01234", "the client would take what follows for the rest of the first answer"
    assert eventually(lambda: store.seen) and not store.seen[0].complete, "a body with a wrong hash was sent whole"


def test_body_that_goes_on_after_an_early_answer_leaves_the_connection_in_step(gateway, stub_store):
    store = stub_store()
    store.early = lambda seen: response(body=b"early")
    gate = gateway(config(store))
    body = os.urandom(64 * 1024)
    with RawConnection(gate.port) as connection:
        headers = {**ALICE.headers, "Content-Length": str(len(body)), "x-amz-content-sha256": OTHER_HASH}
        connection.request("PUT", "/photos/x", headers)
        connection.send(body[:40_000])
        status, answered, text = connection.answer()
        assert (status, text) == (200, b"early")
        connection.send(body[40_000:] + b"GET /-/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        rest = connection.rest()
    assert rest.count(b"HTTP/1.1 ") == (0 if answered.get("connection") == "close" else 1)


@pytest.mark.parametrize("bucket", ["open", "nobodys"])
def test_anonymous_batch_deletion_is_refused_before_its_body(gateway, stub_store, bucket):
    """Whoever may delete nothing is neither invited to send the list, nor told which buckets there are."""
    store = stub_store()
    settings = config(store)
    settings["buckets"] = [{"name": "open", "account": "stub", "anonymous_access": True}]
    gate = gateway(settings)
    document = b"<Delete><Object><Key>x</Key></Object></Delete>"
    with RawConnection(gate.port) as connection:
        connection.request(
            "POST", f"/{bucket}?delete", {"Expect": "100-continue", "Content-Length": str(len(document))}
        )
        assert connection.head()[0] == 403
    assert store.seen == []
