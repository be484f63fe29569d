"""Transfers that last longer than a timeout, and answers whose end is in doubt."""

import os
import signal
import threading
import time

import pytest

from support.gatehouse import eventually
from support.people import ALICE
from support.raw import RawConnection
from support.stub_store import RESET, response

KIB = 1024
MIB = 1024 * 1024


def config(store, server=None, **options):
    return {
        "server": server or {},
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1", **options}}
        ],
        "users": [ALICE.entry("user", ["photos"])],
    }


def test_upload_longer_than_response_timeout_is_not_timed_out(gateway, stub_store):
    """What the store gets to answer in counts from the end of the body, however long that took to come."""

    store = stub_store(response(headers=[("ETag", '"stored"')]))
    gate = gateway(config(store, response_timeout="5s"))
    body = os.urandom(8 * KIB)
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/slow", {**ALICE.headers, "Content-Length": str(len(body))})
        for start in range(0, len(body), KIB):
            connection.send(body[start:start + KIB])
            time.sleep(0.75)
        status, headers, text = connection.answer()
    assert (status, headers.get("etag")) == (200, '"stored"'), text
    assert [seen.body for seen in store.seen] == [body]


def test_store_that_hangs_after_a_long_upload_is_timed_out(gateway, stub_store):
    """The bytes of the upload buy the store no more time than its own."""
    ended = threading.Event()

    def answer(seen):
        ended.wait()

    store = stub_store(answer)
    gate = gateway(config(store, response_timeout="1s"))
    try:
        with RawConnection(gate.port) as connection:
            connection.request("PUT", "/photos/slow", {**ALICE.headers, "Content-Length": "3072"})
            for _ in range(3):
                connection.send(b"x" * KIB)
                time.sleep(0.2)
            started = time.monotonic()
            assert connection.answer()[0] == 504
            assert time.monotonic() - started < 50
    finally:
        ended.set()


def in_small_pieces(head, pieces, gap):
    yield head
    for piece in pieces:
        time.sleep(gap)
        yield piece


def test_answer_in_small_pieces_outlives_body_idle_timeout(gateway, stub_store):
    """As long as bytes keep coming, nothing is idle: also where they never fill the client's channel."""
    pieces = [os.urandom(KIB) for _ in range(30)]
    head = response(headers=[("Content-Length", str(30 * KIB))], length=False)
    store = stub_store(lambda seen: in_small_pieces(head, pieces, 0.2))
    gate = gateway(config(store, {"body_idle_timeout": "5s"}))
    answer = gate.request("GET", "/photos/slow", ALICE.headers)
    assert (answer.status, answer.body) == (200, b"".join(pieces))


def test_completion_kept_alive_by_white_space_outlives_body_idle_timeout(gateway, stub_store):
    """Stores send white space while they put an upload together; all of it is collected before it is passed on."""
    document = (
        b"<CompleteMultipartUploadResult><Bucket>photos</Bucket><Key>x</Key><ETag>&quot;whole-1&quot;</ETag>"
        b"</CompleteMultipartUploadResult>"
    )
    pieces = [b" "] * 30 + [document]
    head = response(headers=[("Content-Type", "application/xml"), ("Connection", "close")], length=False)

    def answer(seen):
        if seen.method == "POST":
            return in_small_pieces(head, pieces, 0.2)
        return response(404)

    store = stub_store(answer)
    store.close_after_answer = True
    gate = gateway(config(store, {"body_idle_timeout": "5s"}))
    parts = b'<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"1"</ETag></Part></CompleteMultipartUpload>'
    answer = gate.request("POST", "/photos/x?uploadId=u", ALICE.headers, parts)
    assert answer.status == 200 and b"whole-1" in answer.body, answer


@pytest.mark.parametrize("end", ["closed", "reset"])
def test_answer_without_a_length_is_whole_only_where_its_end_is_orderly(gateway, stub_store, end):
    half_arrived = threading.Event()

    def pieces():
        yield response(headers=[("Connection", "close")], length=False) + b"first half"
        half_arrived.wait(240)
        if end == "reset":
            yield RESET
        yield b", second half"

    store = stub_store(lambda seen: pieces())
    store.close_after_answer = True
    gate = gateway(config(store))
    with RawConnection(gate.port) as connection:
        connection.request("GET", "/photos/x", {**ALICE.headers, "Connection": "close"})
        status, headers = connection.head()
        assert (status, headers.get("transfer-encoding")) == (200, "chunked")
        received = connection.buffer
        while b"first half" not in received:
            received += connection.socket.recv(4096)
        connection.buffer = received
        half_arrived.set()
        received = connection.rest()
    if end == "closed":
        assert b"second half" in received and received.endswith(b"0\r\n\r\n")
    else:
        assert not received.endswith(b"0\r\n\r\n"), "half an object that looks whole"


def test_store_that_dies_under_a_queue_leaves_nobody_waiting(gateway, stub_store):
    """Requests that wait for a connection hear of it when there will be none."""
    died = threading.Event()

    def answer(seen):
        died.wait(300)

    store = stub_store(answer)
    gate = gateway(config(store, max_connections=2, connect_timeout="300ms"))
    answers, count = [], 40

    def ask():
        answers.append(gate.request("GET", "/photos/x", ALICE.headers).status)

    asking = [threading.Thread(target=ask, daemon=True) for _ in range(count)]
    for thread in asking:
        thread.start()
    try:
        assert eventually(lambda: gate.metric("gatehouse_inflight_requests") >= count)
    finally:
        store.stop()
        died.set()
    assert eventually(lambda: len(answers) == count), f"{count - len(answers)} of {count} still wait"
    assert set(answers) <= {502, 503}
    assert eventually(lambda: gate.metric("gatehouse_inflight_requests") == 0)


@pytest.mark.parametrize("why", ["termination", "idle_timeout"])
def test_end_of_an_answer_that_a_slow_reader_has_not_taken_is_not_dropped(gateway, stub_store, why):
    """All of it was written, some still waits: of so many lengths, a few end between the kernel's buffer and ours."""
    body = os.urandom(5_000_000)
    store = stub_store(lambda seen: response(body=body[:int(seen.target.removeprefix("/photos/"))]))
    gate = gateway(config(store, {"idle_timeout": "1s"} if why == "idle_timeout" else {"drain_timeout": "240s"}))
    lengths = range(2_500_000, 5_000_000, 50_000)
    connections = [RawConnection(gate.port, receive_buffer=8192) for _ in lengths]
    for connection, length in zip(connections, lengths):
        connection.request("GET", f"/photos/{length}", ALICE.headers)
    for connection in connections:
        assert connection.head()[0] == 200
    time.sleep(0.5)
    if why == "termination":
        gate.process.signal(signal.SIGTERM)
    time.sleep(1.5)
    short = []
    for connection, length in zip(connections, lengths):
        received = bytearray(connection.buffer)
        try:
            while len(received) < length and (piece := connection.socket.recv(MIB)):
                received += piece
        except OSError:
            pass
        connection.socket.close()
        if received != body[:length]:
            short.append((len(received), length))
    assert short == []
    if why == "termination":
        assert gate.process.wait() == 0
