"""Limits: exact, per caller, answered with 429 and when to come back."""

import threading
import time

from support.clients import signed
from support.gatehouse import eventually
from support.people import ALICE, FULL, READER, everywhere
from support.raw import RawConnection
from support.stub_store import response


def config(store, **more):
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1"}}
        ],
        "credentials": [FULL.entry(everywhere()), READER.entry(everywhere("read", "list"), requests="5/2s")],
        "users": [ALICE.entry("user", ["photos"], requests="5/60s")],
        **more,
    }


def test_window_per_caller_then_429_with_retry_after(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=b"ok"))))
    answers = [gate.request("GET", "/photos/x", ALICE.headers) for _ in range(8)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 3
    limited = answers[-1]
    assert limited.s3_code == "SlowDown" and 1 <= int(limited.headers["Retry-After"]) <= 60
    assert limited.headers["Content-Type"].startswith("application/json")
    for _ in range(20):
        headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
        assert gate.request("GET", "/photos/x", headers).status == 200, "another caller's limit was counted here"
    assert eventually(lambda: gate.metric("gatehouse_limited_total") >= 3)


def test_window_slides_and_refused_requests_are_not_counted(gateway, stub_store):
    """Five in two seconds: no second burst at a boundary, and a caller that keeps asking comes through again."""
    gate = gateway(config(stub_store(response(body=b"ok"))))
    granted, start = [], time.monotonic()
    while len(granted) < 15 and time.monotonic() - start < 120:
        headers = signed("GET", gate.endpoint + "/photos/x", READER.access_key, READER.secret_key)
        asked = time.monotonic()
        if gate.request("GET", "/photos/x", headers).status == 200:
            granted.append((asked, time.monotonic()))
        time.sleep(0.03)
    assert len(granted) == 15, "refused requests used up the window"
    for (asked, _), (_, answered) in zip(granted, granted[5:]):
        assert answered - asked > 1.9, "more than five within two seconds"


def test_default_limit_for_everybody_without_one(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=b"ok")), limits={"requests": "3/60s"}))
    statuses = []
    for _ in range(5):
        headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
        statuses.append(gate.request("GET", "/photos/x", headers).status)
    assert statuses == [200] * 3 + [429] * 2
    assert [gate.request("GET", "/photos/x", ALICE.headers).status for _ in range(5)] == [200] * 5


def test_concurrent_requests(gateway, stub_store):
    release = threading.Event()

    def slow(_):
        release.wait(240)
        return response(body=b"ok")

    store = stub_store(slow)
    gate = gateway(config(store, limits={"concurrent_requests": 2}))
    statuses = []

    def ask():
        headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
        statuses.append(gate.request("GET", "/photos/x", headers).status)

    held = [threading.Thread(target=ask) for _ in range(2)]
    for thread in held:
        thread.start()
    assert eventually(lambda: len(store.seen) == 2)
    ask()
    assert statuses == [429]
    release.set()
    for thread in held:
        thread.join()
    assert sorted(statuses) == [200, 200, 429]
    ask()
    assert statuses[-1] == 200


def test_who_has_an_answer_may_ask_again_at_once_on_any_connection(gateway, stub_store):
    """One after the other is never two at a time, whichever loops serve them and however busy the machine is."""
    settings = config(stub_store(response(body=b"ok")), limits={"concurrent_requests": 1})
    gate = gateway({**settings, "users": [ALICE.entry("user", ["photos"])]}, arguments=["--loops", "4"])
    connections = [RawConnection(gate.port) for _ in range(8)]
    statuses = [
        connection.request("GET", f"/{bucket}/x", ALICE.headers).answer()[0]
        for _ in range(60) for bucket in ("photos", "nobodys") for connection in connections
    ]
    for connection in connections:
        connection.socket.close()
    assert set(statuses) == {200, 403}


def test_bytes_per_window(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=b"x" * 60_000)), limits={"bytes": "100KiB/60s"}))
    statuses = []
    for _ in range(5):
        headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
        statuses.append(gate.request("GET", "/photos/x", headers).status)
    assert statuses[0] == 200 and statuses[-1] == 429


def test_failed_authentications_are_limited_by_address(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=b"ok"))))
    statuses = [gate.request("GET", "/photos/x", {"x-api-key": f"guess-{n}"}).status for n in range(130)]
    assert statuses[0] in (401, 403) and statuses[-1] == 429
    counted = lambda: gate.metric("gatehouse_auth_failures_total", reason="unknown_api_key")
    assert eventually(lambda: counted() == 130), "the counter stands still while somebody guesses"
    headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
    assert gate.request("GET", "/photos/x", headers).status == 200, "a good credential suffered from guesses"


def test_limited_request_never_reaches_the_store(gateway, stub_store):
    store = stub_store(response(body=b"ok"))
    gate = gateway(config(store))
    for n in range(9):
        gate.request("PUT", f"/photos/{n}", ALICE.headers, b"body")
    assert len(store.seen) == 5
