"""`gatehouse check | version | key new`: for people and, with --json, for programs."""

import contextlib
import json
import os
import re
import socket
import subprocess

import pytest

from support.clients import run
from support.gatehouse import ROOT, binary, eventually
from support.ports import free_port
from support.process import Process
from support.toml_text import toml_text

GOOD = {
    "accounts": [
        {"name": "minio", "backend_type": "s3", "buckets": ["photos"],
         "backend_options": {"endpoint": "http://127.0.0.1:8333", "region": "us-east-1"}}
    ],
    "users": [{"name": "alice", "api_key": "abcdefghijklmnopqrstuvwxyz", "role": "user", "allowed_buckets": ["photos"]}],
}


def gatehouse(*arguments, env=None):
    return run([binary(), *arguments], env)


def test_version():
    plain = gatehouse("version")
    assert plain.returncode == 0 and plain.stdout.strip()
    assert json.loads(gatehouse("version", "--json").stdout)["version"]


@pytest.mark.parametrize(
    "kind, members", [("access", ["access_key_id", "secret_access_key"]), ("api", ["api_key", "api_key_sha256"]),
                      ("audit", ["hmac_key"]), ("oidc", ["kid", "private_key"]),
                      ("session", ["session_token_key"])]
)
def test_new_keys_are_new_and_come_with_their_configuration(kind, members):
    first, second = (json.loads(gatehouse("key", "new", kind, "--json").stdout) for _ in range(2))
    assert all(len(first[name]) >= 16 and first[name] != second[name] for name in members)
    human = gatehouse("key", "new", kind)
    assert human.returncode == 0 and "[" in human.stdout


def test_data_beside_a_configuration_is_where_state_and_audit_log_lie(gateway, tmp_path):
    folder = tmp_path / "its own" / "data"
    gate = gateway(
        {**GOOD, "state": {"store": "sqlite:kept.db"}, "audit": {"path": "audit.jsonl"}},
        arguments=["--data", str(folder)],
    )
    gate.request("GET", "/photos/x", {"x-api-key": "wrong"})
    assert eventually(lambda: (folder / "audit.jsonl").exists() and (folder / "kept.db").exists())
    assert not (gate.folder / "kept.db").exists() and not (gate.folder / "audit.jsonl").exists()
    found = gatehouse("revoke", "user", "alice", "--config", gate.config_path, "--data", folder)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def elsewhere(tmp_path):
    """Starts the instance of a configuration in another folder than the current one; both folders, and what stops it."""
    there, here = tmp_path / "etc", tmp_path / "cwd"
    there.mkdir(), here.mkdir()
    started = []

    def start(config, env=None):
        port, admin = free_port(), free_port()
        server = {"listen": f"127.0.0.1:{port}", "admin_listen": f"127.0.0.1:{admin}"}
        (there / "gatehouse.toml").write_text(toml_text({"server": server, **config}))
        process = Process("gatehouse", [binary(), "serve", "--config", there / "gatehouse.toml"], tmp_path / "out", cwd=here,
                          env={**os.environ, **(env or {})})
        started.append(process)
        return process, port

    yield there, here, start
    for process in started:
        process.stop()


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_relative_paths_lead_from_the_configuration_s_folder(elsewhere):
    there, here, start = elsewhere
    files = {"name": "files", "backend_type": "file", "buckets": ["kept"], "backend_options": {"path": "files"}}
    process, port = start({**GOOD, "accounts": [*GOOD["accounts"], files], "access_log": {"path": "access.log"}})
    process.wait_until(lambda: is_open(port) and (there / "gatehouse.sock").exists(), 120)
    assert eventually(lambda: {"audit.jsonl", "gatehouse.db", "access.log", "files"} <= {p.name for p in there.iterdir()})
    assert list(here.iterdir()) == []
    # Whoever looks for the instance finds it, from wherever that may be.
    found = subprocess.run([binary(), "grant", "list", "--config", there / "gatehouse.toml"], cwd="/", capture_output=True,
                           text=True, timeout=120)
    assert found.returncode == 0, found.stderr


def test_a_state_that_was_left_in_the_working_directory_is_told_of(elsewhere):
    there, here, start = elsewhere
    (here / "gatehouse.db").write_bytes(b"")
    process, port = start(GOOD)
    process.wait_until(lambda: is_open(port) and (there / "gatehouse.sock").exists(), 120)
    told = [line for line in process.output().splitlines() if "earlier builds" in line]
    assert len(told) == 1 and "from=gatehouse.db" in told[0] and f"to={there / 'gatehouse.db'}" in told[0], told
    # Once it is used, there is nothing to tell.
    process.stop()
    process, port = start(GOOD)
    process.wait_until(lambda: is_open(port), 120)
    assert process.output().count("earlier builds") == 1


def test_an_instance_is_found_by_somebody_who_has_none_of_its_secrets(elsewhere):
    there, _, start = elsewhere
    user = {"name": "alice", "api_key": "env:ONLY_THE_INSTANCE_HAS", "role": "user", "allowed_buckets": ["photos"]}
    process, port = start({**GOOD, "users": [user]}, {"ONLY_THE_INSTANCE_HAS": "abcdefghijklmnopqrstuvwxyz"})
    process.wait_until(lambda: is_open(port) and (there / "gatehouse.sock").exists(), 120)
    config = there / "gatehouse.toml"
    for arguments in (["grant", "list"], ["revoke", "user", "alice"], ["explain", "http://127.0.0.1/photos/a"]):
        done = gatehouse(*arguments, "--config", config)
        assert "can't be used" not in done.stderr and "no running instance" not in done.stderr, done.stderr
        assert done.returncode == (1 if arguments[0] == "explain" else 0), done.stderr
    config.write_text("[state]\nstore = 5\n")
    done = gatehouse("grant", "list", "--config", config)
    assert done.returncode == 1 and "gatehouse.toml:2" in done.stderr and "--socket" in done.stderr


def test_data_does_not_move_what_has_a_place(gateway, tmp_path):
    gate = gateway(GOOD, arguments=["--data", str(tmp_path / "elsewhere")])
    gate.request("GET", "/photos/x", {"x-api-key": "wrong"})
    assert eventually(gate.audit_log) and (gate.folder / "state" / "gatehouse.db").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_check_of_a_good_file(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text(toml_text(GOOD))
    done = gatehouse("check", "--config", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(gatehouse("check", "--config", path, "--json").stdout) is not None


def test_check_reports_every_problem_with_line_key_and_suggestion(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text(
        "[server]\nlissten = \"127.0.0.1:1\"\nregion = 5\n\n[[accounts]]\nname = \"a\"\nbackend_type = \"s4\"\n"
        "buckets = [\"photos\"]\n\n[[buckets]]\nname = \"b\"\naccount = \"nobody\"\n\n[[users]]\nname = \"u\"\n"
        "api_key = \"abcdefghijklmnopqrstuvwxyz\"\nrole = \"boss\"\nallowed_buckets = [\"photos\"]\n"
    )
    done = gatehouse("check", "--config", path)
    text = done.stdout + done.stderr
    assert done.returncode not in (0, 64, 139, 132, 134)
    for line, words in [(2, ("lissten", "listen")), (3, ("region",)), (7, ("s4", "s3")), (12, ("nobody",)),
                        (17, ("boss", "user"))]:
        mentioned = [each for each in text.splitlines() if f"gatehouse.toml:{line}" in each]
        assert mentioned, f"nothing about line {line}:\n{text}"
        assert all(any(word in each for each in text.splitlines()) for word in words), (words, text)
    report = json.loads(gatehouse("check", "--config", path, "--json").stdout)
    assert "17" in json.dumps(report)


def test_check_never_prints_a_secret(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text(toml_text(GOOD) + '\n[[users]]\nname = "v"\napi_key = "short-secret-value"\nrole = 7\n')
    done = gatehouse("check", "--config", path)
    assert "short-secret-value" not in done.stdout + done.stderr
    assert "abcdefghijklmnopqrstuvwxyz" not in done.stdout + done.stderr


def test_serve_with_a_bad_file_says_the_same_and_exits(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text("[server]\nlissten = \"x\"\n")
    done = run([binary(), "serve", "--config", path])
    assert done.returncode not in (0, 139, 132, 134) and "gatehouse.toml:2" in done.stdout + done.stderr


def test_missing_file_is_named(tmp_path):
    done = gatehouse("check", "--config", tmp_path / "none.toml")
    assert done.returncode not in (0, 139, 132, 134) and "none.toml" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["frobnicate"], ["check", "--nonsense"], ["key", "new", "old"]])
def test_usage_errors_exit_64(arguments):
    done = gatehouse(*arguments)
    assert done.returncode == 64 and "Usage" in done.stdout + done.stderr


def test_snippet_of_the_documents_is_valid_verbatim(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text(
        '[[buckets]]\nname = "my-data"\nbackend_type = "s3"\n\n[buckets.backend_options]\n'
        'endpoint = "https://s3.us-east-1.amazonaws.com"\nbucket_name = "my-backend-bucket"\nregion = "us-east-1"\n'
        'access_key_id = "AKIAIOSFODNN7EXAMPLE"\n'
        'secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'
    )
    assert gatehouse("check", "--config", path).returncode == 0


def examples():
    """Those that need nothing of the machine but environment variables."""
    return [path for path in sorted((ROOT / "Examples").glob("*.toml")) if "/etc/" not in path.read_text()]


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_examples_are_valid(path):
    named = set(re.findall(r'"env:([A-Z_]+)"', path.read_text()))
    env = {**os.environ, **{name: f"made-up-value-of-{name.lower()}" for name in named}}
    done = gatehouse("check", "--config", path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_configuration_is_valid(tmp_path):
    snippet = (ROOT / "README.md").read_text().split("```toml\n")[1].split("```")[0]
    path = tmp_path / "gatehouse.toml"
    path.write_text(snippet)
    named = set(re.findall(r'"env:([A-Z_]+)"', snippet))
    env = {**os.environ, **{name: f"made-up-value-of-{name.lower()}" for name in named}}
    done = gatehouse("check", "--config", path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
