"""The tools of these tests themselves: a fault injector that injects nothing would make every fault test pass."""

import http.client
import time
import tomllib

import pytest

from support.gatehouse import eventually
from support.load import Load
from support.raw import RawConnection
from support.stub_store import StubStore, response
from support.toml_text import toml_text

BODY = bytes(range(256)) * 4096


@pytest.fixture
def proxied(stub_store, fault_proxy):
    store = stub_store(response(body=BODY))
    return store, fault_proxy(store.port)


def fetch(proxy, timeout=120):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("GET", "/x")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_fault_proxy_passes_bytes_unchanged(proxied):
    _, proxy = proxied
    assert fetch(proxy) == BODY and proxy.accepted == 1


@pytest.mark.parametrize("how", ["reset_after", "close_after"])
def test_fault_proxy_cuts_after_so_many_bytes(proxied, how):
    _, proxy = proxied
    proxy.behave(**{how: 200_000})
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        fetch(proxy)


def test_fault_proxy_hangs_refuses_and_corrupts(proxied):
    _, proxy = proxied
    proxy.behave(hang=True)
    with pytest.raises(TimeoutError):
        fetch(proxy, timeout=0.5)
    proxy.behave(refuse=True)
    with pytest.raises(OSError):
        fetch(proxy)
    proxy.behave(corrupt_at=1000)
    body = fetch(proxy)
    assert len(body) == len(BODY) and sum(a != b for a, b in zip(body, BODY)) == 1


def test_fault_proxy_delays_and_throttles(proxied):
    _, proxy = proxied
    proxy.behave(rate=2_000_000)
    started = time.monotonic()
    assert fetch(proxy) == BODY
    assert time.monotonic() - started > 0.3


def test_fault_proxy_drops_idle_connections(proxied):
    _, proxy = proxied
    with RawConnection(proxy.port) as connection:
        assert connection.request("GET", "/x").answer()[2] == BODY
        proxy.drop_connections()
        assert connection.is_closed()


def test_fault_proxy_notices_a_client_that_left(proxied):
    _, proxy = proxied
    proxy.behave(rate=100_000)
    with RawConnection(proxy.port) as connection:
        connection.request("GET", "/x").head()
    assert eventually(lambda: proxy.open_connections == 0) and proxy.downstream_closed == 1


def test_load_notices_wrong_answers():
    good, bad = StubStore(response(body=b"right")), StubStore(response(body=b"wrong"))
    failing = StubStore(lambda seen: None)
    outcomes = []
    for store in (good, bad, failing):
        with Load(store.port, "/x", {}, b"right", threads=2) as load:
            load.wait_for(20)
        outcomes.append(len(load.failures))
        store.stop()
    assert outcomes[0] == 0 and outcomes[1] >= 20 and outcomes[2] >= 20


def test_stub_store_reports_an_incomplete_body(stub_store):
    store = stub_store()
    with RawConnection(store.port) as connection:
        connection.request("PUT", "/x", {"Content-Length": "10"})
        connection.send(b"12345")
    assert eventually(lambda: store.seen)
    assert not store.seen[0].complete and store.seen[0].body == b"12345"


def test_configuration_text_means_what_was_given():
    config = {
        "server": {"listen": "127.0.0.1:1", "tls": {"certificate": "file:a\"b"}, "domains": ["a", "ü"]},
        "users": [{"name": "a", "allowed_buckets": []}, {"name": "b", "on": True}],
        "credentials": [{"allowed_scopes": [{"bucket": "*", "prefixes": []}, {"bucket": "b"}]}],
        "inline": {"list of": [1, 2.5]},
    }
    assert tomllib.loads(toml_text(config)) == config
