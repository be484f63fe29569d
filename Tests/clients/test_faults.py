"""Bad days: stores that die, hang, lie or restart, and clients that leave, crawl or come in thousands."""

import hashlib
import json
import os
import socket
import struct
import threading
import time

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.gatehouse import eventually
from support.load import Load
from support.people import ALICE, FULL, account, everywhere
from support.raw import RawConnection
from support.stub_store import response

MIB = 1024 * 1024


class Behind:
    """A fault proxy that looks like the store behind it."""

    def __init__(self, proxy, store):
        self.endpoint, self.access_key, self.secret_key = proxy.endpoint, store.access_key, store.secret_key


def config(store, **options):
    options = {"connect_timeout": "20s", "response_timeout": "20s", **options}
    return {
        "accounts": [account("north", store, ["photos", "docs"], **options)],
        "credentials": [FULL.entry(everywhere())],
        "users": [ALICE.entry("user", ["photos"])],
    }


def stub_config(store, **options):
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1", "connect_timeout": "20s",
                                 "response_timeout": "20s", **options}}
        ],
        "users": [ALICE.entry("user", ["photos"])],
    }


@pytest.fixture
def faulty(gateway, fault_proxy, north, north_s3):
    """(gateway, fault proxy) in front of the real store, with a small and a large object in it."""
    proxy = fault_proxy(north.port)
    north_s3.put_object(Bucket="photos", Key="faults/small", Body=b"small body")
    return gateway(config(Behind(proxy, north))), proxy


@pytest.fixture(scope="module")
def large(north_s3):
    body = os.urandom(8 * MIB)
    north_s3.put_object(Bucket="photos", Key="faults/large", Body=body)
    return body


def get(gate, key="faults/small", timeout=120):
    return gate.request("GET", f"/photos/{key}", ALICE.headers, timeout=timeout)


@pytest.mark.parametrize("how", ["reset_after", "close_after"])
def test_store_that_dies_in_the_middle_of_a_body_cuts_the_client(faulty, large, how):
    gate, proxy = faulty
    proxy.behave(**{how: 3 * MIB})
    with RawConnection(gate.port) as connection:
        connection.request("GET", "/photos/faults/large", ALICE.headers)
        status, headers = connection.head()
        assert (status, headers["content-length"]) == (200, str(len(large)))
        received = connection.buffer
        try:
            while True:
                piece = connection.socket.recv(65536)
                if not piece:
                    break
                received += piece
        except OSError:
            pass
    assert len(received) < len(large) and large.startswith(received), "a short body that looks whole"
    proxy.behave()
    assert get(gate).body == b"small body"


def test_hanging_store_ends_in_a_clean_timeout(gateway, fault_proxy, north, north_s3):
    north_s3.put_object(Bucket="photos", Key="faults/small", Body=b"small body")
    proxy = fault_proxy(north.port)
    gate = gateway(config(Behind(proxy, north), response_timeout="2s"))
    proxy.behave(hang=True)
    answer = get(gate)
    assert answer.status in (503, 504) and answer.json()["error"]["code"]
    proxy.behave()
    assert eventually(lambda: get(gate).status == 200)


def test_refusing_store_ends_in_a_clean_error(faulty):
    gate, proxy = faulty
    proxy.behave(refuse=True)
    proxy.drop_connections()
    answer = get(gate)
    assert answer.status in (502, 503) and answer.json()["error"]["code"]
    proxy.behave()
    assert eventually(lambda: get(gate).status == 200)


def test_nobody_listening_ends_in_a_clean_error(gateway, stub_store):
    store = stub_store()
    store.stop()
    gate = gateway(stub_config(store, connect_timeout="1s"))
    assert get(gate).status in (502, 503)


def test_nobody_listening_is_told_alike_of_an_object_and_of_a_slot(gateway, stub_store):
    store = stub_store()
    store.stop()
    gate = gateway(stub_config(store, connect_timeout="1s"))
    slot = {"bucket": "photos", "key": "a", "content_type": "image/png", "size": 1}
    asked = gate.request(
        "POST", "/-/v1/uploads", {**ALICE.headers, "content-type": "application/json"}, json.dumps(slot).encode()
    )
    for answer in (get(gate), asked):
        assert (answer.status, answer.json()["error"]["code"]) == (503, "ServiceUnavailable")
        assert answer.json()["error"]["message"] == "The store behind this bucket cannot be reached."
        assert answer.headers["Retry-After"] == "1"


def test_stale_pooled_connections_never_surface(faulty):
    """The store closes its idle connections again and again, as every store does after some seconds."""
    gate, proxy = faulty
    with Load(gate.port, "/photos/faults/small", ALICE.headers, b"small body", threads=3, pause=0.01) as load:
        for _ in range(25):
            load.wait_for(6)
            load.paused.wait_until_idle()
            proxy.drop_connections()
            load.paused.resume()
    assert load.failures == []


def test_store_that_closes_after_each_answer_never_surfaces(gateway, stub_store):
    store = stub_store(response(body=b"once each"))
    store.close_after_answer = True
    gate = gateway(stub_config(store))
    with Load(gate.port, "/photos/x", ALICE.headers, b"once each", threads=3) as load:
        load.wait_for(400)
    assert load.failures == []


def test_get_on_a_dead_pooled_connection_is_sent_once_more(gateway, stub_store):
    """The store reads the request on a used connection and closes without an answer."""
    answered = {"count": 0}

    def answer(seen):
        answered["count"] += 1
        return None if answered["count"] == 2 else response(body=b"again")

    store = stub_store(answer)
    gate = gateway(stub_config(store))
    # One client connection, hence one event loop, hence one pool.
    with RawConnection(gate.port) as connection:
        for key in ("first", "second"):
            status, _, body = connection.request("GET", f"/photos/{key}", ALICE.headers).answer()
            assert (status, body) == (200, b"again")
    assert [seen.target for seen in store.seen] == ["/photos/first", "/photos/second", "/photos/second"]
    assert eventually(lambda: gate.metric("gatehouse_upstream_retries_total") >= 1)


def test_put_over_64_kib_is_never_sent_twice(gateway, stub_store):
    """A body of more than 64 KiB is gone once it was passed on: the client gets a clean error and decides."""
    store = stub_store(lambda seen: None if seen.method == "PUT" else response(body=b"ok"))
    gate = gateway(stub_config(store))
    assert get(gate, "warm").status == 200
    body = os.urandom(MIB)
    answer = gate.request("PUT", "/photos/put", ALICE.headers, body)
    assert answer.status in (502, 503) and answer.json()["error"]["code"]
    assert sum(1 for seen in store.seen if seen.method == "PUT" and seen.body) == 1


def test_upload_that_the_store_cuts_is_a_clean_error(faulty, north_s3):
    gate, proxy = faulty
    proxy.behave(reset_upload_after=MIB)
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="photos", Key="faults/cut", Body=os.urandom(4 * MIB))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (502, 503)
    with pytest.raises(ClientError):
        north_s3.head_object(Bucket="photos", Key="faults/cut")


def test_client_that_leaves_cancels_the_stores_request(faulty, large):
    gate, proxy = faulty
    proxy.behave(rate=MIB // 2)
    with RawConnection(gate.port) as connection:
        connection.request("GET", "/photos/faults/large", ALICE.headers)
        connection.head()
    assert eventually(lambda: proxy.open_connections == 0), "the store goes on sending to nobody"
    assert proxy.bytes_down < 6 * MIB


def test_client_that_leaves_during_an_upload_commits_nothing(faulty, north_s3):
    gate, proxy = faulty
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/faults/left", {**ALICE.headers, "Content-Length": str(4 * MIB)})
        connection.send(os.urandom(2 * MIB))
    assert eventually(lambda: proxy.open_connections == 0)
    with pytest.raises(ClientError):
        north_s3.head_object(Bucket="photos", Key="faults/left")


def test_latency_and_trickle_are_no_failure(faulty, large):
    gate, proxy = faulty
    proxy.behave(latency=0.05)
    assert get(gate).body == b"small body"
    proxy.behave(rate=8 * MIB)
    assert hashlib.md5(get(gate, "faults/large").body).digest() == hashlib.md5(large).digest()


def test_corrupt_head_of_a_store_is_a_clean_error(faulty):
    gate, proxy = faulty
    proxy.drop_connections()
    proxy.behave(corrupt_at=0)
    answer = get(gate)
    assert answer.status in (502, 503)
    proxy.behave()
    proxy.drop_connections()
    assert get(gate).body == b"small body"


def test_store_that_answers_early_to_a_large_upload(gateway, stub_store):
    """A 403 before the body is read reaches the client whole."""
    listener = socket.create_server(("127.0.0.1", 0))
    arrived = threading.Event()

    def refuse(connection):
        connection.recv(4096)
        body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        connection.sendall(response(403, [("Connection", "close")], body))
        arrived.wait(240)
        connection.close()

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=refuse, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()

    class Store:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"

    gate = gateway(stub_config(Store))
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/x", {**ALICE.headers, "Content-Length": str(50 * MIB)})
        try:
            for _ in range(50):
                connection.send(b"\0" * MIB)
        except OSError:
            pass
        status, _, _ = connection.answer()
        arrived.set()
    assert status == 403
    listener.close()


def test_refused_upload_does_not_need_its_whole_body(gateway, stub_store):
    gate = gateway(stub_config(stub_store()))
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/x", {"x-api-key": "wrong", "Content-Length": str(1 << 40)})
        assert connection.answer()[0] in (401, 403)
        assert connection.is_closed(), "a terabyte would have been read"


def test_clients_that_never_finish_their_head_are_let_go(gateway, stub_store):
    gate = gateway({**stub_config(stub_store()), "server": {"header_timeout": "1s", "idle_timeout": "2s"}})
    with RawConnection(gate.port) as slow, RawConnection(gate.port) as silent:
        slow.send("GET / HTTP/1.1\r\nHost:")
        started = time.monotonic()
        slow.rest()
        assert time.monotonic() - started < 9, "no sooner than without a configuration"
        assert silent.is_closed(within=60)


def test_upload_that_stops_moving_is_let_go(gateway, stub_store):
    gate = gateway({**stub_config(stub_store()), "server": {"body_idle_timeout": "1s"}})
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/x", {**ALICE.headers, "Content-Length": "1000000"})
        connection.send(b"x" * 1000)
        started = time.monotonic()
        connection.rest()
        assert time.monotonic() - started < 50


def test_restart_of_the_store_fails_no_get(gateway, fault_proxy, stub_store):
    """Connections are reset all at once, new ones are taken at once. The store's answers come whole or not at all: one that
    is cut in its body can't be asked for again."""
    proxy = fault_proxy(stub_store(response(body=b"small body")).port)
    gate = gateway(stub_config(proxy))
    with Load(gate.port, "/photos/x", ALICE.headers, b"small body", threads=4) as load:
        for _ in range(8):
            load.wait_for(20)
            proxy.reset_connections()
    assert load.failures == []


def test_store_that_is_away_for_seconds_gives_clean_errors_and_comes_back(gateway, tmp_path):
    from support.seaweed import Seaweed

    store = Seaweed("restarting", tmp_path / "store", "AKRESTART0000EXAMPLE", "restart-secret-0123456789").start()
    try:
        direct = s3_client(store.endpoint, store.access_key, store.secret_key)
        direct.create_bucket(Bucket="photos")
        direct.put_object(Bucket="photos", Key="faults/small", Body=b"small body")
        gate = gateway(config(store, connect_timeout="1s"))
        assert get(gate).status == 200
        statuses, stopping = [], threading.Event()

        def ask():
            n = 0
            while not stopping.is_set():
                n += 1
                if n % 2:
                    answer = get(gate)
                else:
                    answer = gate.request("PUT", f"/photos/restart/{n}", ALICE.headers, b"x" * 20_000)
                statuses.append((answer.status, answer.s3_code))
                time.sleep(0.02)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        store.restart()
        time.sleep(1.0)
        stopping.set()
        asking.join(240)
        unclean = [each for each in statuses if each[0] != 200 and not (each[0] in (500, 502, 503, 504) and each[1])]
        assert unclean == []
        assert eventually(lambda: get(gate).status == 200)
    finally:
        store.stop()


@pytest.mark.slow
def test_thirty_two_slow_readers_cost_bounded_memory(gateway, stub_store):
    body = b"\xa5" * (48 * MIB)
    gate = gateway(stub_config(stub_store(response(body=body))))
    assert len(get(gate).body) == len(body)
    before = gate.process.resident_bytes()
    readers = [RawConnection(gate.port, receive_buffer=4096) for _ in range(32)]
    for reader in readers:
        reader.request("GET", "/photos/x", ALICE.headers)
        assert reader.head()[0] == 200
    peak = 0
    for _ in range(10):
        time.sleep(0.2)
        for reader in readers:
            reader.socket.recv(4096)
        peak = max(peak, gate.process.resident_bytes())
    for reader in readers:
        reader.socket.close()
    assert peak - before < 48 * MIB, f"{(peak - before) / MIB:.0f} MiB for 32 slow readers"


def test_slow_uploads_cost_bounded_memory(faulty):
    gate, proxy = faulty
    proxy.behave(stop_reading=True)
    before = gate.process.resident_bytes()
    writers = [RawConnection(gate.port, timeout=0.2) for _ in range(16)]
    for writer in writers:
        writer.request("PUT", "/photos/x", {**ALICE.headers, "Content-Length": str(200 * MIB)})
    sent = 0
    for writer in writers:
        try:
            for _ in range(40):
                writer.socket.send(b"\0" * MIB)
                sent += MIB
        except OSError:
            pass
    grown = gate.process.resident_bytes() - before
    for writer in writers:
        writer.socket.close()
    proxy.drop_connections()
    assert grown < 96 * MIB, f"{grown / MIB:.0f} MiB after {sent / MIB:.0f} MiB offered to a store that reads slowly"


@pytest.mark.slow
def test_ten_thousand_connections_opened_and_dropped(gateway, stub_store):
    gate = gateway(stub_config(stub_store(response(body=b"small body"))))
    files_before = gate.process.open_files()
    with Load(gate.port, "/photos/x", ALICE.headers, b"small body", threads=2) as load:
        load.wait_for(100)
        memory_before = gate.process.resident_bytes()
        for n in range(10_000):
            connection = socket.create_connection(("127.0.0.1", gate.port), timeout=120)
            if n % 3 == 1:
                connection.sendall(b"GET /photos/x HTTP/1.1\r\nHo")
            if n % 3 == 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        load.wait_for(50)
    assert load.failures == []
    assert eventually(lambda: gate.process.open_files() <= files_before + 20)
    assert gate.process.resident_bytes() - memory_before < 32 * MIB
    assert get(gate).status == 200


def test_connections_beyond_the_limit_wait_or_are_refused_and_others_go_on(gateway, stub_store):
    gate = gateway({**stub_config(stub_store(response(body=b"ok"))), "server": {"max_connections": 50}})
    assert eventually(lambda: gate.metric("gatehouse_connections") == 0)
    held = [RawConnection(gate.port) for _ in range(80)]
    answered = refused = 0
    for connection in held:
        try:
            assert connection.request("GET", "/photos/x", ALICE.headers).answer()[::2] == (200, b"ok")
            answered += 1
        except OSError:
            refused += 1
    assert (answered, refused) == (50, 30)
    for connection in held:
        connection.socket.close()
    assert eventually(lambda: gate.metric("gatehouse_connections") == 0)
    assert get(gate).status == 200


def test_short_answer_to_a_client_of_http_1_0_ends_with_a_reset(gateway, stub_store):
    """Only the connection's end says that it is whole: an orderly one would say so of a short one."""
    def answer(_):
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        time.sleep(0.3)
        yield b"5\r\nhe"

    store = stub_store(answer)
    store.close_after_answer = True
    gate = gateway(stub_config(store))
    with RawConnection(gate.port) as raw:
        raw.send(f"GET /photos/a HTTP/1.0\r\nHost: x\r\nx-api-key: {ALICE.api_key}\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while raw.socket.recv(65536):
                pass
