"""Bodies that are read whole before anything is decided by them: what they cost is bounded, and given back."""

import contextlib
import select
import time

import pytest

from support.clients import signed
from support.gatehouse import eventually
from support.people import ALICE, FULL, everywhere
from support.raw import RawConnection
from support.stub_store import response

MIB = 1 << 20
HALF_OF_KNOWN = 96 * MIB
HALF_OF_STRANGERS = 16 * MIB


@pytest.fixture
def made(gateway, stub_store):
    """Makes gateways that wait so long for the next piece of a body."""
    return lambda patience: gateway({
        "server": {"body_idle_timeout": patience},
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": stub_store(response(body=b"<CompleteMultipartUploadResult/>")).endpoint,
                                 "region": "us-east-1"}}
        ],
        "credentials": [FULL.entry(everywhere())],
        "users": [ALICE.entry("user", ["photos"])],
    })


@pytest.fixture
def gate(made):
    """Patient enough that whoever sends many bodies is not told that the first takes too long."""
    return made("240s")


def completion(gate, length, extra=()):
    """The head of a completion whose body is `length` bytes long."""
    path = "/photos/large?uploadId=u"
    fields = signed("POST", gate.endpoint + path, FULL.access_key, FULL.secret_key, payload_hash="UNSIGNED-PAYLOAD")
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{gate.port}", f"Content-Length: {length}",
             *(f"{name}: {value}" for name, value in fields.items() if name.lower() not in ("host", "content-length")), *extra]
    return "\r\n".join([*lines, "", ""]).encode()


def form(gate, length):
    """The head of a form for STS, which anybody may post."""
    return (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def held(gate):
    return gate.metric("gatehouse_held_body_bytes")


def test_unfinished_bodies_of_one_caller_cost_bounded_memory(gate):
    before = gate.process.resident_bytes()
    body = b"<" * (4 * MIB - 4096)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(gate.port)) for _ in range(200)]
        refused = 0
        for connection in connections:
            try:
                connection.send(completion(gate, 4 * MIB) + body)
            except OSError:
                refused += 1
        assert held(gate) <= HALF_OF_KNOWN
        assert gate.process.resident_bytes() - before < 256 * MIB
        # Others are read as before.
        answer = gate.request("POST", "/-/v1/downloads", ALICE.headers, b"{}")
        assert answer.status not in (503, 500), answer
    assert eventually(lambda: held(gate) == 0)


def test_beyond_the_budget_a_body_is_refused_and_its_connection_closed(gate):
    with contextlib.ExitStack() as stack:
        for _ in range(HALF_OF_STRANGERS // (128 * 1024)):
            stack.enter_context(RawConnection(gate.port)).send(form(gate, 128 * 1024) + b"a" * (128 * 1024 - 1))
        assert eventually(lambda: held(gate) > HALF_OF_STRANGERS - 1024)
        late = stack.enter_context(RawConnection(gate.port))
        late.send(form(gate, 128 * 1024) + b"a" * 64 * 1024)
        status, fields = late.head()
        assert (status, fields["retry-after"], fields["connection"]) == (503, "1", "close"), fields
        # A stranger's bodies are nothing to somebody who is known.
        known = stack.enter_context(RawConnection(gate.port))
        body = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
        known.send(completion(gate, len(body)) + body)
        assert known.head()[0] == 200
    assert eventually(lambda: held(gate) == 0)


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(made):
    gate = made("2s")
    for begin in (completion(gate, MIB), form(gate, 100_000)):
        with RawConnection(gate.port) as connection:
            connection.send(begin)
            begun = time.monotonic()
            with contextlib.suppress(OSError):
                # Until the answer is there to be read.
                while time.monotonic() - begun < 60 and not select.select([connection.socket], [], [], 0.3)[0]:
                    connection.send(b"a")
            assert time.monotonic() - begun < 60
            assert b"RequestTimeout" in connection.answer()[2]
        assert eventually(lambda: held(gate) == 0)


@pytest.mark.parametrize("end", ["answered", "refused", "cut", "malformed"])
def test_what_was_held_is_given_back_however_the_request_ends(gate, end):
    body = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
    with RawConnection(gate.port) as connection:
        if end == "answered":
            connection.send(completion(gate, len(body)) + body)
            assert connection.head()[0] == 200
        elif end == "refused":
            connection.send(completion(gate, 9) + b"<no xml!>")
            assert connection.head()[0] == 400
        elif end == "cut":
            connection.send(completion(gate, 1000) + b"<" * 999)
            assert eventually(lambda: held(gate) == 999)
        else:
            head = completion(gate, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            connection.send(head + b"5\r\naaaaa\r\nnonsense\r\n")
            assert connection.head()[0] == 400
        assert held(gate) == (999 if end == "cut" else 0)
    assert eventually(lambda: held(gate) == 0)
