"""What goes wrong on the command line: said once, with its reason, and as JSON to whoever asked for JSON."""

import json
import socket
import subprocess
import tomllib

import pytest
from support.authority import Authority
from support.clients import run
from support.gatehouse import Gatehouse, binary, eventually, lines_of
from support.people import ALICE, FULL, ROOT, everywhere
from support.ports import free_port
from support.stub_store import s3_error
from support.toml_text import toml_text

STORE = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1"}
KEYS = {"access_key_id": "AKSTORE", "secret_access_key": "store-secret-0123456789"}


def config(options=STORE, **more):
    return {
        "accounts": [{"name": "minio", "buckets": ["photos"], "backend_options": options}],
        "users": [ALICE.entry("user", ["photos"]), ROOT.entry("admin", ["photos"])],
        "credentials": [FULL.entry(everywhere())],
        **more,
    }


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "gatehouse.toml"
        path.write_text(content if isinstance(content, str) else toml_text(content))
        return path

    return write


def gatehouse(*arguments, **options):
    return run([binary(), *arguments], **options)


def failure(done, code=1):
    """What a command that was asked for JSON says of its failure."""
    assert done.returncode == code, done.stdout + done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] and error["message"]
    return error


# MARK: Starting


@pytest.mark.parametrize("option", ["--listen", "--admin-listen"])
def test_an_address_that_is_none_is_a_usage_error(option):
    done = gatehouse("serve", option, "foo", timeout=120)
    assert done.returncode == 64 and f"{option} must be an address" in done.stderr and "gatehouse serve" in done.stderr


@pytest.mark.parametrize("listener", ["listen", "admin_listen"])
def test_an_address_in_use_is_named(tmp_path, listener):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        gate = Gatehouse(tmp_path, config(server={listener: address}))
        done = gatehouse("serve", "--config", gate.config_path, timeout=120)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"gatehouse: {address} is in use by another process" in done.stderr
        error = failure(gatehouse("serve", "--config", gate.config_path, "--json", timeout=120))
        assert error == {"code": "NotStarted", "message": f"{address} is in use by another process"}


def test_a_tls_pair_that_cannot_work_is_found_by_check_and_ends_a_start_with_its_reason(written, tmp_path):
    authority = Authority()
    authority.write(tmp_path)
    (tmp_path / "tls.key").rename(tmp_path / "other.key")
    authority.write(tmp_path)
    for key, words in [
        ("other.key", "is not the key of the certificate"), ("tls.crt", "is a certificate, and no private key"),
    ]:
        path = written(config(server={"tls": {"certificate": "file:tls.crt", "private_key": f"file:{key}"}}))
        line = 1 + path.read_text().splitlines().index(f'private_key = "file:{key}"')
        for command in ("check", "serve"):
            done = gatehouse(command, "--config", path, timeout=30)
            said = done.stdout + done.stderr
            assert done.returncode == 1 and f"gatehouse.toml:{line}: server.tls.private_key: {words}" in said, said
    path = written(config(server={"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}))
    assert gatehouse("check", "--config", path).returncode == 0


def test_a_key_of_another_certificate_is_named_when_it_is_read_again(gateway, tmp_path):
    folder = tmp_path / "gatehouse"
    folder.mkdir()
    authority = Authority()
    authority.write(folder)
    gate = gateway(
        config(server={"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}), tls=folder / "ca.crt"
    )
    kept = (folder / "tls.crt").read_bytes()
    authority.write(folder)
    (folder / "tls.crt").write_bytes(kept)
    words = "server.tls.private_key: is not the key of the certificate"
    assert eventually(lambda: words in gate.process.stderr_path.read_text())
    assert eventually(lambda: words in gate.request("GET", "/-/ready", admin=True).body.decode())


def test_a_start_that_fails_late_ends_without_a_crash(tmp_path, written):
    """Everything is open by then; that is closed again, and the reason is all that is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        path = written(config(server={"admin_listen": address, "listen": "127.0.0.1:0"}))
        for _ in range(3):
            done = gatehouse("serve", "--config", path, timeout=60)
            assert done.returncode == 1 and "Fatal error" not in done.stderr, done.stderr
            assert done.stderr.splitlines()[-1] == f"gatehouse: {address} is in use by another process"


@pytest.mark.parametrize("more, words", [
    ({"access_log": {"path": "nowhere/access.log"}}, "[access_log] path: can't open "),
    ({"audit": {"path": "nowhere/audit.jsonl"}}, "[audit] path: can't open "),
    ({"accounts": [{"name": "f", "buckets": ["photos"], "backend_type": "file", "backend_options": {"path": "/proc/nope"}}]},
     "the folder /proc/nope can't be a store: No such file or directory"),
], ids=["access_log", "audit", "store"])
def test_a_file_that_cannot_be_opened_is_told_with_what_names_it(written, more, words):
    done = gatehouse("serve", "--config", written(config(**more)), timeout=30)
    assert done.returncode == 1 and words in done.stderr.splitlines()[-1] and "errno" not in done.stderr, done.stderr


def test_a_store_that_refuses_connections_is_told_of_in_words(gateway):
    gate = gateway(config({"endpoint": f"http://127.0.0.1:{free_port()}", "region": "us-east-1",
                           "connect_timeout": "200ms"}, access_log={"path": "access.log", "format": "json"}))
    assert gate.request("GET", "/photos/x", ALICE.headers).status == 503
    told = eventually(lambda: [line["reason"] for line in gate.access_log() if line["path"] == "/photos/x"])
    assert told == ["the store is unreachable: Connection refused"]
    ready = eventually(lambda: (found := gate.request("GET", "/-/ready", admin=True).body.decode()) and "reached" in found and found)
    assert "could not be reached: Connection refused" in ready
    assert "SingleConnectionFailure" not in gate.process.stderr_path.read_text() + ready


def test_a_second_instance_in_the_same_folder_is_told_of_the_first(gateway):
    gate = gateway(config())
    second = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    done = gatehouse(
        "serve", "--config", gate.config_path, "--listen", second[0], "--admin-listen", second[1], timeout=120
    )
    assert done.returncode == 1 and "another Gatehouse runs on it" in done.stderr and "audit.jsonl" in done.stderr


def test_where_it_serves_is_the_first_line_of_standard_output(gateway):
    gate = gateway(config(access_log={"path": "-", "format": "json"}), arguments=["--json"])
    gate.request("GET", "/photos/x", {"x-api-key": "wrong"})
    assert eventually(lambda: len(lines_of(gate.process.stdout_path)) > 1)
    first, *lines = lines_of(gate.process.stdout_path)
    assert first == {"endpoint": gate.endpoint, "console": gate.admin_endpoint + "/", "buckets": 1}
    assert all("status" in line for line in lines)


def test_the_embedded_default_says_in_json_where_its_credentials_are(gateway, tmp_path):
    ports = [free_port(), free_port()]
    gate = Gatehouse(
        tmp_path / "embedded", port=ports[0],
        arguments=["--json", "--listen", f"127.0.0.1:{ports[0]}", "--admin-listen", f"127.0.0.1:{ports[1]}"],
    )
    gate.admin_port = ports[1]
    try:
        gate.start()
        told, *_ = eventually(lambda: lines_of(gate.process.stdout_path))
        assert told["endpoint"] == gate.endpoint and told["bucket"] == "demo"
        assert json.loads((gate.folder / told["credentials"]).read_text())["endpoint"] == gate.endpoint
    finally:
        gate.stop()


# MARK: JSON


@pytest.mark.parametrize("arguments, code", [
    (["presign", "get", "nobody/x"], "NoSuchBucket"), (["presign", "get", "photos/x", "--key", "NOPE"], "InvalidAccessKeyId"),
    (["trust", "aws", "nobody"], "NoSuchBucket"), (["trust", "check"], "NoProvider"),
    (["grant", "list"], "NoInstance"), (["grant", "revoke", "0" * 32], "NoInstance"),
    (["revoke", "user", "bob"], "NoInstance"), (["explain", "http://h/b/k"], "NoInstance"),
])
def test_failures_are_json_where_json_was_asked_for(written, tmp_path, arguments, code):
    path = written(config(state={"store": f"sqlite:{tmp_path}/state.db"}))
    done = gatehouse(*arguments, "--config", path, "--json")
    assert failure(done)["code"] == code
    plain = gatehouse(*arguments, "--config", path)
    assert (plain.returncode, plain.stdout) == (1, "") and plain.stderr.startswith("gatehouse: ")


@pytest.mark.parametrize("arguments", [
    ["presign", "get", "photos/x"], ["serve"], ["doctor"], ["trust", "gcp", "photos"], ["gateway-config", "nginx"],
], ids=lambda arguments: arguments[0])
def test_problems_of_the_configuration_are_json_too(written, arguments):
    path = written("[server]\nlissten = 1\n")
    error = failure(gatehouse(*arguments, "--config", path, "--json"))
    assert error["code"] == "InvalidConfiguration" and error["problems"][0]["key"] == "server.lissten"


def test_what_the_instance_refuses_is_told_with_its_code(gateway):
    gate = gateway(config())
    at = ["--config", gate.config_path, "--json"]
    assert failure(gatehouse("revoke", "user", "nobody", *at)) == {
        "code": "NotFound", "message": "There is no user nobody.",
    }
    assert failure(gatehouse("explain", "ftp://h/b", *at))["code"] == "NotUnderstood"


@pytest.mark.parametrize("arguments, words", [
    (["presign", "get", "photos/x"], "gatehouse key new access"), (["presign", "get", "photos/x"], "shorter --ttl"),
    (["trust", "check"], "gatehouse key new oidc"), (["trust", "check"], "OIDC_PROVIDER_KEY"),
])
def test_what_can_be_done_about_it_is_said(written, arguments, words):
    store = {"backend_type": "file", "backend_options": {"path": "files"}}
    path = written(config(accounts=[{"name": "files", "buckets": ["photos"], **store}], credentials=[]))
    done = gatehouse(*arguments, "--config", path)
    assert done.returncode == 1 and words in done.stderr, done.stderr


def test_whoever_finds_no_instance_is_told_how_one_is_found(tmp_path):
    def said(*options):
        return subprocess.run([str(binary()), "grant", "list", *options], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60).stderr

    assert "give --config or --data as it was started with, or --socket" in said()
    assert "no running instance" in said("--data", "elsewhere") and "--socket" not in said("--data", "elsewhere")


# MARK: What is not understood


@pytest.mark.parametrize("arguments, usage", [
    (["presign", "get", "photos"], "gatehouse presign get"), (["presign", "get", "photos/a", "--ttl", "8d"], "gatehouse presign get"),
    (["presign", "put", "photos/a", "--size", "-1"], "gatehouse presign put"),
    (["audit", "verify", "--hmac-key", "abc"], "gatehouse audit verify"),
    (["key", "new", "access", "--name", 'bad name "x'], "gatehouse key new"),
    (["key", "new", "api", "--name", "user:x"], "gatehouse key new"),
])
def test_usage_is_that_of_the_command(arguments, usage):
    done = gatehouse(*arguments)
    assert (done.returncode, done.stdout) == (64, "") and f"Usage: {usage}" in done.stderr


@pytest.mark.parametrize("arguments, words", [
    (["presign", "get", "photos"], "BUCKET/KEY"), (["grant", "create"], "--subject"), (["key", "new", "foo"], "foo"),
    (["serve", "--listen", "foo"], "must be an address"), (["key"], "--json"),
    (["explain", "--file", "/dev/null"], "give a URL, --file or standard input"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_is_not_understood_is_json_where_json_was_asked_for(arguments, words):
    done = gatehouse(*arguments, "--json")
    error = failure(done, code=64)
    assert error["code"] == "Usage" and words in error["message"] and done.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["key"], ["presign"], ["grant"], ["trust"], ["audit"]])
def test_a_group_without_one_of_its_commands_is_not_understood(arguments):
    done = gatehouse(*arguments)
    assert (done.returncode, done.stdout) == (64, "") and "SUBCOMMANDS" in done.stderr
    asked = gatehouse(*arguments, "--help")
    assert (asked.returncode, asked.stderr) == (0, "") and "SUBCOMMANDS" in asked.stdout


@pytest.mark.parametrize("input", ["", " \n\n"])
def test_explaining_nothing_says_what_to_give(input):
    done = gatehouse("explain", input=input)
    assert (done.returncode, done.stdout) == (64, "")
    assert "give a URL, --file or standard input" in done.stderr and "Usage: gatehouse explain" in done.stderr


def test_a_name_with_quotes_makes_valid_configuration():
    for kind, table, member in [("access", "credentials", "principal_name"), ("api", "users", "name")]:
        printed = gatehouse("key", "new", kind, "--name", 'o"neil\\é').stdout
        entry = tomllib.loads(printed.split("\n\n", 1)[1])[table][0]
        assert entry[member] == 'o"neil\\é'
        assert entry.get("secret_access_key", "env:O_NEIL___SECRET") == "env:O_NEIL___SECRET"


def test_a_key_that_is_too_short_gets_the_command_that_makes_one(written):
    path = written(config(users=[{"name": "a", "api_key": "short", "allowed_buckets": ["photos"]}]))
    assert '"gatehouse key new api"' in gatehouse("check", "--config", path).stdout
    path = written(config(credentials=[{**FULL.entry(everywhere()), "secret_access_key": "short"}]))
    assert '"gatehouse key new access"' in gatehouse("check", "--config", path).stdout


# MARK: Audit log


def test_an_audit_log_that_is_not_there_is_not_a_broken_one(tmp_path):
    path = tmp_path / "audit.jsonl"
    done = gatehouse("audit", "verify", path)
    assert (done.returncode, done.stdout) == (1, "") and done.stderr == f"gatehouse: there is no audit log {path}\n"
    assert failure(gatehouse("audit", "verify", path, "--json"))["code"] == "NoSuchFile"
    # One of which only rotated files are left is there.
    (tmp_path / "audit.jsonl.1").write_text("nonsense\n")
    assert gatehouse("audit", "verify", path).stdout.startswith(f"broken: {path}.1:1: ")


def test_an_audit_log_without_a_path_is_the_one_that_the_instance_writes(gateway, tmp_path):
    def verified(folder, *options):
        return subprocess.run(
            [str(binary()), "audit", "verify", *map(str, options)], cwd=folder, capture_output=True, text=True, timeout=60
        )

    # The embedded default's, in the folder where it was started, and elsewhere.
    for data in ("data", "elsewhere"):
        log = tmp_path / data / ".gatehouse" / "audit.jsonl"
        log.parent.mkdir(parents=True)
        log.write_text("nonsense\n")
        done = verified(tmp_path, *([] if data == "data" else ["--data", data]))
        assert done.returncode == 1 and f"{data}/.gatehouse/audit.jsonl:1" in done.stdout, done.stderr
    # A configuration's, which has secrets that are not needed for it.
    gate = gateway(config(users=[{**ALICE.entry("user", ["photos"]), "api_key": "env:ONLY_THE_INSTANCE_HAS"}]),
                   env={"ONLY_THE_INSTANCE_HAS": "abcdefghijklmnopqrstuvwxyz"})
    gate.request("GET", "/photos/x", {"x-api-key": "wrong"})
    assert eventually(gate.audit_log)
    for folder, options in [(gate.folder, []), (tmp_path, ["--config", gate.config_path])]:
        assert eventually(lambda: verified(folder, *options).stdout.startswith("the chain holds: "))
    (tmp_path / "none.toml").write_text("[audit]\npath = \"-\"\n")
    done = verified(tmp_path, "--config", "none.toml")
    assert done.returncode == 1 and "no audit log that is kept in a file" in done.stderr


def test_an_hmac_key_that_is_not_to_be_had_is_said(tmp_path):
    done = gatehouse("audit", "verify", tmp_path / "audit.jsonl", "--hmac-key", "env:SURELY_NOT_SET")
    assert done.returncode == 1 and "not set" in done.stderr


# MARK: Presigned URLs


def test_an_access_key_is_not_passed_over_where_the_store_is_signed_for(written):
    path = written(config({**STORE, **KEYS}))
    assert gatehouse("presign", "get", "photos/x", "--config", path).returncode == 0
    done = gatehouse("presign", "get", "photos/x", "--config", path, "--key", FULL.access_key)
    assert (done.returncode, done.stdout) == (1, "") and "leave --key out" in done.stderr
    done = gatehouse("presign", "get", "photos/x", "--config", path, "--key", "NOPE")
    assert (done.returncode, done.stdout) == (1, "") and 'no access key "NOPE"' in done.stderr


# MARK: Other gateways' configuration


def test_the_folder_for_a_gateways_files_is_made(written, tmp_path):
    path = written(config({**STORE, **KEYS}))
    folder = tmp_path / "not" / "there"
    done = gatehouse("gateway-config", "traefik", "--config", path, "--output", folder)
    assert done.returncode == 0, done.stderr
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["gatehouse.yaml", "traefik.yaml"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_why_a_gateways_files_are_not_written_is_said(written, tmp_path):
    path = written(config({**STORE, **KEYS}))
    (tmp_path / "file").write_text("")
    done = gatehouse("gateway-config", "nginx", "--config", path, "--output", tmp_path / "file" / "below")
    assert done.returncode == 1 and "can't make the folder" in done.stderr
    (tmp_path / "taken" / "gatehouse.conf").mkdir(parents=True)
    (tmp_path / "taken" / "nginx.conf").mkdir()
    done = gatehouse("gateway-config", "nginx", "--config", path, "--output", tmp_path / "taken")
    assert done.returncode == 1 and "can't be written: Is a directory" in done.stderr


# MARK: Doctor


def doctor(path, *arguments):
    done = gatehouse("doctor", *arguments, "--config", path, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    (examination,) = json.loads(done.stdout)["examinations"]
    return {finding["check"]: (finding["verdict"], finding["detail"]) for finding in examination["findings"]}


def test_doctor_says_in_words_why_a_store_is_not_reached(written):
    found = doctor(written(config({**STORE, "endpoint": f"http://127.0.0.1:{free_port()}"})))
    assert found["reachable"] == ("failed", "can't be reached: Connection refused")
    assert found["CORS"][0] == "note" and "neither the bucket nor [[server.cors]]" in found["CORS"][1]


def test_doctor_says_what_the_store_answered(written, stub_store):
    store = stub_store(s3_error(403, "SignatureDoesNotMatch"))
    found = doctor(written(config({**STORE, **KEYS, "endpoint": f"http://127.0.0.1:{store.port}"})))
    assert found["bucket"][0] == "failed" and "the store answered 403 SignatureDoesNotMatch" in found["bucket"][1]


def test_doctor_of_a_bucket_that_is_not_there_says_so(written):
    assert doctor(written(config()), "nobucket") == {"bucket": ("failed", "the configuration has none of this name")}


def test_doctor_prints_the_cors_rule_where_there_are_origins(written, stub_store):
    cors = {"cors": [{"allowed_origins": ["https://app.example.com"]}]}
    store = stub_store(s3_error(403, "SignatureDoesNotMatch"))
    path = written(config({**STORE, **KEYS, "endpoint": f"http://127.0.0.1:{store.port}"}, server=cors))
    examination = json.loads(gatehouse("doctor", "--config", path, "--json").stdout)["examinations"][0]
    assert examination["cors_rule"]["AllowedOrigins"] == ["https://app.example.com"]
    assert "CORS" not in [finding["check"] for finding in examination["findings"]]


# MARK: Grants and blocks


def test_lifting_a_block_that_there_is_not_says_so(gateway):
    gate = gateway(config())
    done = gatehouse("revoke", "user", "alice", "--unblock", "--config", gate.config_path)
    assert done.returncode == 1 and done.stderr == "gatehouse: The user user:alice is not blocked.\n"


def test_nobody_is_given_what_nobody_can_use(gateway):
    gate = gateway(config())
    wish = ["grant", "create", "--config", gate.config_path, "--bucket", "photos", "--prefix", "", "--expires", "1h"]
    for subject in ("user:nobody", "key:nobody", "idp:nobody:x", "role:nobody:x"):
        done = gatehouse(*wish, "--subject", subject)
        assert (done.returncode, done.stdout) == (1, "") and f"has no {subject}" in done.stderr
    done = gatehouse(*wish, "--subject", "user:alice")
    assert done.returncode == 0, done.stderr


def test_whoever_may_not_give_it_is_told_to_the_operator_with_the_reason(gateway):
    gate = gateway(config(users=[ALICE.entry("user", []), ROOT.entry("admin", ["photos"])]))
    done = gatehouse(
        "grant", "create", "--config", gate.config_path, "--subject", "user:root", "--grantor", "user:alice",
        "--bucket", "photos", "--prefix", "", "--expires", "1h",
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gatehouse: Access Denied: user:alice may not give this: "), done.stderr


# MARK: Names said once


def test_a_missing_configuration_is_named_once(tmp_path):
    path = tmp_path / "none.toml"
    assert f"{path}: can't be read: no such file\n" in gatehouse("check", "--config", path).stdout
