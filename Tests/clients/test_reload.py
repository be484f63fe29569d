"""A running gateway takes a new configuration without a client noticing, and never takes a bad one."""

import os
import signal
import time

from support.gatehouse import eventually
from support.load import Load
from support.people import ALICE, FULL, WATCHER, User, everywhere
from support.stub_store import response

BODY = b"steady" * 200
NEWCOMER = User("newcomer", "newcomer-api-key-e4da3b7fbbce2345d777")


def config(store, users=(ALICE,), **more):
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1"}}
        ],
        "credentials": [FULL.entry(everywhere())],
        "users": [user.entry("user", ["photos"]) for user in users],
        **more,
    }


def status_for(gate, user):
    return gate.request("GET", "/photos/x", user.headers).status


def test_reload_by_signal_and_by_file_change_during_load_fails_nothing(gateway, stub_store):
    store = stub_store(response(body=BODY))
    gate = gateway(config(store))
    with Load(gate.port, "/photos/x", ALICE.headers, BODY) as load:
        for round_ in range(10):
            users = (ALICE, NEWCOMER) if round_ % 2 == 0 else (ALICE,)
            gate.write_config(config(store, users))
            gate.process.signal(signal.SIGHUP)
            expected = 200 if NEWCOMER in users else None
            assert eventually(lambda: (status_for(gate, NEWCOMER) == 200) == (expected == 200)), round_
            load.wait_for(20)
        gate.write_config(config(store, (ALICE, NEWCOMER)))
        assert eventually(lambda: status_for(gate, NEWCOMER) == 200, timeout=10), "the file change went unnoticed"
        load.wait_for(50)
    assert load.failures == []
    assert gate.metric("gatehouse_config_reloads_total", outcome="success") >= 6


def test_bad_file_changes_nothing_and_is_reported(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=BODY))))
    good = gate.config_path.read_text()
    with Load(gate.port, "/photos/x", ALICE.headers, BODY, threads=2) as load:
        for bad in ("[[users]\n", good + '\n[surver]\nlisten = "x"\n', good.replace('"user"', '"boss"'), "= 1"):
            gate.write_config(bad)
            gate.process.signal(signal.SIGHUP)
            time.sleep(0.4)
            load.wait_for(20)
            assert eventually(lambda: gate.metric("gatehouse_config_last_reload_successful") == 0)
        assert gate.status_of("/-/ready") == 200
        gate.write_config(good)
        gate.process.signal(signal.SIGHUP)
        assert eventually(lambda: gate.metric("gatehouse_config_last_reload_successful") == 1)
    assert load.failures == []
    assert "gatehouse.toml" in gate.process.output()


def test_secret_in_a_file_is_read_again_when_the_link_moves(gateway, stub_store):
    """The way Kubernetes swaps secrets: a symbolic link that suddenly points elsewhere."""
    gate = gateway(None, start=False)
    secrets = gate.folder / "secrets"
    for version, key in [("v1", ALICE.api_key), ("v2", "another-key-for-alice-c81e728d9d4c")]:
        (secrets / version).mkdir(parents=True)
        (secrets / version / "alice").write_text(key)
    (secrets / "current").symlink_to("v1")
    entry = {**ALICE.entry("user", ["photos"]), "api_key": f"file:{secrets}/current/alice"}
    gate.write_config({**config(stub_store(response(body=BODY))), "users": [entry]})
    gate.start()
    assert status_for(gate, ALICE) == 200
    os.symlink("v2", secrets / "next")
    os.rename(secrets / "next", secrets / "current")
    rotated = User("alice", "another-key-for-alice-c81e728d9d4c")
    assert eventually(lambda: status_for(gate, rotated) == 200, timeout=10)
    assert status_for(gate, ALICE) in (401, 403)


def test_request_in_flight_keeps_the_rules_it_began_with(gateway, stub_store):
    import threading

    release = threading.Event()

    def slow(_):
        release.wait(10)
        return response(body=BODY)

    store = stub_store(slow)
    gate = gateway(config(store, (ALICE, WATCHER)))
    statuses = []
    asking = threading.Thread(target=lambda: statuses.append(status_for(gate, WATCHER)))
    asking.start()
    assert eventually(lambda: gate.metric("gatehouse_inflight_requests") >= 1)
    gate.write_config(config(store, (ALICE,)))
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: gate.metric("gatehouse_config_reloads_total", outcome="success") >= 1)
    release.set()
    asking.join(10)
    assert statuses == [200]
    assert status_for(gate, WATCHER) in (401, 403)


def test_changed_listen_address_is_reported_as_pending(gateway, stub_store):
    store = stub_store(response(body=BODY))
    gate = gateway(config(store))
    gate.write_config(config(store, server={"listen": "127.0.0.1:1"}))
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: "restart" in gate.process.output())
    assert status_for(gate, ALICE) == 200
