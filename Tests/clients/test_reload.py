"""A running gateway takes a new configuration without a client noticing, and never takes a bad one."""

import os
import signal
import sqlite3
import time
from pathlib import Path

from support.gatehouse import eventually
from support.load import Load
from support.people import ALICE, FULL, ROOT, WATCHER, User, everywhere
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
        assert eventually(lambda: status_for(gate, NEWCOMER) == 200), "the file change went unnoticed"
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
    assert eventually(lambda: "gatehouse.toml" in gate.process.output())


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
    assert eventually(lambda: status_for(gate, rotated) == 200)
    assert status_for(gate, ALICE) in (401, 403)


def test_request_in_flight_keeps_the_rules_it_began_with(gateway, stub_store):
    import threading

    release = threading.Event()

    def slow(_):
        release.wait(300)
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
    asking.join(240)
    assert statuses == [200]
    assert status_for(gate, WATCHER) in (401, 403)


def readiness(gate):
    answer = gate.request("GET", "/-/ready", admin=True)
    return answer.status, answer.json()


def reloaded(gate, settings):
    done = gate.metric("gatehouse_config_reloads_total", outcome="success")
    gate.write_config(settings)
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: gate.metric("gatehouse_config_reloads_total", outcome="success") > done)


def test_what_needs_a_restart_is_pending_until_then(gateway, stub_store):
    store = stub_store(response(body=BODY))
    settings = config(store)
    settings["users"].append(ROOT.entry("admin", ["*"]))
    gate = gateway(settings)
    assert readiness(gate)[1]["pending_restart"] == []
    reloaded(gate, {
        **settings,
        "server": {"listen": "127.0.0.1:1", "region": "eu-7"},
        "admin": {"allowed_hosts": ["admin.example.com"]},
        "access_log": {"path": str(gate.folder / "other.log"), "format": "text"},
        "audit": {"path": str(gate.folder / "other.jsonl"), "rotate_size": "1MiB", "keep": 3,
                  "hmac_key": "audit-secret-0123456789abcdef"},
        "uploads": {"sqs_queue_url": "http://127.0.0.1:9/1/q", "sqs_region": "eu-1"},
    })
    waiting = ["server.listen", "admin.allowed_hosts", "access_log.path", "access_log.format", "audit.path",
               "audit.rotate_size", "audit.keep", "audit.hmac_key", "uploads.sqs_queue_url", "uploads.sqs_region"]
    status, detail = readiness(gate)
    assert (status, detail["ready"], detail["pending_restart"]) == (200, True, waiting)
    for key in waiting:
        assert eventually(lambda: f"{key} takes effect after a restart" in gate.process.output())
    shown = gate.request("GET", "/api/config", ROOT.headers, admin=True).json()
    assert shown["server"]["region"] == "eu-7", "what a reload can apply, it applies"
    assert shown["server"]["listen"] == f"127.0.0.1:{gate.port}"
    assert (shown["audit"]["path"], shown["audit"]["keep"]) == (str(gate.audit_path), 10)
    assert shown["access_log"] == {"path": str(gate.access_log_path), "format": "json"}
    assert shown["admin"]["allowed_hosts"] == [], "a name that is not answered is shown as if it were"
    assert status_for(gate, ALICE) == 200 and not (gate.folder / "other.log").exists()
    reloaded(gate, settings)
    assert readiness(gate)[1]["pending_restart"] == []


def test_bad_file_shows_in_the_readiness_detail_and_is_no_reason_to_send_nobody(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=BODY))))
    good = gate.config_path.read_text()
    gate.write_config(good + '\n[surver]\nlisten = "x"\n')
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: gate.metric("gatehouse_config_last_reload_successful") == 0)
    status, detail = readiness(gate)
    check = next(check for check in detail["checks"] if check["name"] == "configuration")
    assert (status, detail["ready"], check["ok"]) == (200, True, False)
    line = good.count("\n") + 2
    assert f"gatehouse.toml:{line}" in check["detail"] and "surver" in check["detail"] and "server" in check["detail"]
    assert gate.request("GET", "/-/ready").body == b'{"status":"ok"}', "what is wrong is nothing for the public"
    gate.write_config(good)
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: readiness(gate)[1]["checks"][0]["ok"])


def test_stores_in_folders_come_with_a_reload(gateway, stub_store, tmp_path):
    settings = config(stub_store(response(body=BODY)))
    settings["users"][0]["allowed_buckets"] = ["*"]
    gate = gateway(settings)

    def files(name, folder, *buckets):
        return {"name": name, "backend_type": "file", "buckets": list(buckets),
                "backend_options": {"path": str(tmp_path / folder)}}

    def keeps(bucket):
        put = gate.request("PUT", f"/{bucket}/kept", ALICE.headers, bucket.encode())
        return put.status == 200 and gate.request("GET", f"/{bucket}/kept", ALICE.headers).body == bucket.encode()

    stub = settings["accounts"][0]
    with Load(gate.port, "/photos/x", ALICE.headers, BODY, threads=2, pause=0.01) as load:
        reloaded(gate, {**settings, "accounts": [stub, files("one", "one", "first")]})
        assert keeps("first")
        reloaded(gate, {**settings, "accounts": [stub, files("one", "one", "first", "second"), files("two", "two", "third")]})
        assert keeps("second") and keeps("third")
        assert gate.request("GET", "/first/kept", ALICE.headers).body == b"first"
        reloaded(gate, settings)
        assert gate.request("GET", "/first/kept", ALICE.headers).status == 404
        reloaded(gate, {**settings, "accounts": [stub, files("one", "one", "first")]})
        assert gate.request("GET", "/first/kept", ALICE.headers).body == b"first"
        load.wait_for(10)
    assert load.failures == []
    assert readiness(gate)[1]["pending_restart"] == []
    gate.process.signal(signal.SIGTERM)
    assert gate.process.wait() == 0


def test_folder_that_cannot_be_opened_changes_nothing_and_says_why(gateway, stub_store, tmp_path):
    settings = config(stub_store(response(body=BODY)))
    gate = gateway(settings)
    (tmp_path / "taken").write_text("a file where a folder should be")
    folder = {"name": "one", "backend_type": "file", "buckets": ["first"],
              "backend_options": {"path": str(tmp_path / "taken")}}
    gate.write_config({**settings, "accounts": [settings["accounts"][0], folder]})
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: gate.metric("gatehouse_config_last_reload_successful") == 0)
    check = next(check for check in readiness(gate)[1]["checks"] if check["name"] == "configuration")
    assert str(tmp_path / "taken") in check["detail"]
    assert status_for(gate, ALICE) == 200


def folder_account(name, folder, *buckets):
    return {"name": name, "backend_type": "file", "buckets": list(buckets), "backend_options": {"path": str(folder)}}


def refused(gate, settings):
    """Reloads what can't be put in force; why not."""
    failed = gate.metric("gatehouse_config_reloads_total", outcome="failure")
    gate.write_config(settings)
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: gate.metric("gatehouse_config_reloads_total", outcome="failure") > failed)
    return next(check for check in readiness(gate)[1]["checks"] if check["name"] == "configuration")["detail"]


def open_files(gate):
    folder = f"/proc/{gate.process.pid}/fd"
    for number in os.listdir(folder):
        try:
            yield os.readlink(f"{folder}/{number}")
        except FileNotFoundError:
            continue


def test_refused_reload_leaves_no_folder_open_and_makes_no_bucket(gateway, stub_store, tmp_path):
    settings = config(stub_store(response(body=BODY)))
    settings["users"][0]["allowed_buckets"] = ["*"]
    gate = gateway(settings)
    stub = settings["accounts"][0]
    (tmp_path / "taken").write_text("a file where a folder should be")
    good, bad = folder_account("one", tmp_path / "good", "first"), folder_account("two", tmp_path / "taken", "second")
    assert str(tmp_path / "taken") in refused(gate, {**settings, "accounts": [stub, good, bad]})
    assert not [name for name in open_files(gate) if name.startswith(str(tmp_path / "good"))]
    assert not (tmp_path / "good").exists(), "a folder that nobody uses is left behind"
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "notes.txt").write_text("somebody's own")
    assert refused(gate, {**settings, "accounts": [stub, good, bad]})
    assert os.listdir(tmp_path / "good") == ["notes.txt"]
    reloaded(gate, {**settings, "accounts": [stub, folder_account("one", tmp_path / "good", "other")]})
    assert gate.request("PUT", "/other/kept", ALICE.headers, b"kept").status == 200
    with sqlite3.connect(tmp_path / "good" / "index.sqlite") as index:
        assert [name for (name,) in index.execute("SELECT name FROM bucket")] == ["other"]


def test_added_folder_whose_store_cannot_serve_ends_nobody(gateway, stub_store, tmp_path):
    settings = config(stub_store(response(body=BODY)))
    settings["users"][0]["allowed_buckets"] = ["*"]
    first = folder_account("one", tmp_path / "one", "first")
    settings["accounts"].append(first)
    gate = gateway(settings)
    assert gate.request("PUT", "/first/kept", ALICE.headers, b"kept").status == 200
    sockets = {name[8:-1] for name in open_files(gate) if name.startswith("socket:")}
    entries = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    listening = [Path(entry[7]) for entry in entries if len(entry) > 7 and entry[6] in sockets]
    folder = next(path.parent for path in listening if path.name == "0.sock")
    # Where the next stores would listen.
    for number in range(1, 9):
        (folder / f"{number}.sock").write_text("taken")
    wanted = {**settings, "accounts": [*settings["accounts"], folder_account("two", tmp_path / "two", "second")]}
    assert refused(gate, wanted)
    assert not (tmp_path / "two").exists()
    assert gate.request("GET", "/first/kept", ALICE.headers).body == b"kept"
    assert status_for(gate, ALICE) == 200
    for number in range(1, 9):
        (folder / f"{number}.sock").unlink()
    reloaded(gate, wanted)
    assert gate.request("PUT", "/second/kept", ALICE.headers, b"kept").status == 200
