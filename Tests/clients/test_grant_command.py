"""`gatehouse grant`: the operator gives, lists and takes back, through the admin socket of a running instance."""

import json
import urllib.request

import pytest
from support.clients import body_of, run, s3_client
from support.gatehouse import Gatehouse, binary, eventually
from support.people import ALICE, FULL, MODELS, ROOT, User, everywhere, within

BOB = User("bob", "bob-api-key-3b1f8d0c9a7e4f5566778899")
PATH = "/photos/shared/a.txt"


def config(folder, **more):
    return {
        "buckets": [{"name": "photos", "backend_type": "file", "backend_options": {"path": str(folder / "files")}}],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", []), ROOT.entry("admin", ["photos"])],
        "credentials": [
            FULL.entry(everywhere()), MODELS.entry([within("photos", ["models/"], "read", "share")],
                                                   expires_at="2031-01-01T00:00:00Z"),
        ],
        **more,
    }


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grant-command")
    (folder / "files").mkdir()
    gateway = Gatehouse(folder, config(folder)).start()
    client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    client.put_object(Bucket="photos", Key="shared/a.txt", Body=b"0123456789", ContentType="text/plain")
    assert body_of(client, "photos", "shared/a.txt") == b"0123456789"
    yield gateway
    gateway.stop()


def grant(door, *arguments):
    return run([binary(), "grant", arguments[0], "--config", door.config_path, *arguments[1:]], env=door.env)


def create(door, **options):
    wanted = {"subject": "user:bob", "bucket": "photos", "prefix": "shared/", "expires": "1h", **options}
    arguments = [part for name, value in wanted.items() if value is not None
                 for part in (f"--{name.replace('_', '-')}", str(value))]
    return grant(door, "create", *arguments)


def listed(door, *arguments):
    done = grant(door, "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return {entry["id"]: entry for entry in json.loads(done.stdout)["grants"]}


def test_a_grant_is_given_listed_and_taken_back(door):
    assert door.request("GET", PATH, BOB.headers).status == 403
    done = create(door, json=None, note="for the fair", max_uses=20, source_cidr="127.0.0.0/8")
    assert done.returncode == 0, done.stderr
    identifier = done.stdout.split(",")[0].strip()
    # The one admin's rights are what it rests on.
    assert "by user:root" in done.stdout
    assert door.request("GET", PATH, BOB.headers).status == 200
    entry = listed(door)[identifier]
    assert (entry["subject"], entry["grantor"], entry["note"]) == ("user:bob", "user:root", "for the fair")
    assert (entry["max_uses"], entry["uses"], entry["source_cidr"]) == (20, 1, "127.0.0.0/8")
    lines = grant(door, "list", "--subject", "user:bob", "--bucket", "photos").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATE", "SUBJECT", "WHERE", "ACTIONS", "USES", "ENDS", "BY", "NOTE"]
    (line,) = [line for line in lines if line.startswith(identifier)]
    assert line.split()[:7] == [identifier, "in", "force", "user:bob", "photos/shared/*", "get_object,head_object", "1/20"]
    assert identifier not in listed(door, "--subject", "user:carol")
    done = grant(door, "revoke", identifier)
    assert done.returncode == 0 and identifier in done.stdout, done.stderr
    assert door.request("GET", PATH, BOB.headers).status == 403
    assert "revoked_at" in listed(door)[identifier]
    assert "taken back" in grant(door, "list").stdout
    assert grant(door, "revoke", "0" * 32).returncode == 1


def test_a_link_is_all_that_is_printed(door):
    done = create(door, subject="link", prefix=None, key="shared/a.txt", max_uses=1)
    assert done.returncode == 0, done.stderr
    link = done.stdout.strip()
    assert link.startswith(door.endpoint + "/-/l/") and len(done.stdout.splitlines()) == 1
    assert urllib.request.urlopen(link).read() == b"0123456789"
    made = json.loads(grant(door, "create", "--subject", "link", "--bucket", "photos", "--prefix", "", "--expires",
                            "2031-01-01T00:00:00Z", "--json").stdout)
    assert made["link"].endswith("/") and made["expires_at"] == "2031-01-01T00:00:00Z" and made["grantor"] == "user:root"
    assert link.rsplit("/", 1)[1] not in grant(door, "list", "--json").stdout + grant(door, "list").stdout


def test_it_rests_on_the_rights_of_whoever_is_named(door):
    done = create(door, grantor="alice", action="put_object", expires="15s")
    assert done.returncode == 0 and "by user:alice" in done.stdout
    assert door.request("PUT", "/photos/shared/new", BOB.headers, b"x").status == 200
    assert door.request("PUT", "/photos/other", BOB.headers, b"x").status == 403
    assert eventually(lambda: door.request("PUT", "/photos/shared/new", BOB.headers, b"x").status == 403)
    # Never beyond what they may, nor longer than their key.
    assert create(door, grantor="bob").returncode == 1
    assert create(door, grantor="key:models").returncode == 1
    capped = create(door, grantor="key:models", prefix="models/", expires="2099-01-01T00:00:00Z")
    assert "until 2031-01-01T00:00:00Z" in capped.stdout


def test_who_is_blocked_gives_nothing(door):
    def revoke(*more):
        return run([binary(), "revoke", "user", "key:models", "--config", door.config_path, *more], env=door.env)

    giver = {"grantor": "key:models", "prefix": "models/"}
    assert revoke("--block").returncode == 0
    done = create(door, **giver)
    assert (done.returncode, done.stdout) == (1, "") and "key:models is blocked" in done.stderr
    assert create(door).returncode == 0
    assert revoke("--unblock").returncode == 0
    assert create(door, **giver).returncode == 0


@pytest.mark.parametrize("options, words", [
    ({"grantor": "nobody"}, "no user"), ({"bucket": "absent"}, "Access Denied"), ({"subject": "bob"}, "subject"),
    ({"action": "share"}, "share"), ({"source_cidr": "nonsense"}, "source_cidr"),
    ({"expires": "2001-01-01T00:00:00Z"}, "expires_at"),
])
def test_what_is_refused_is_said_with_1(door, options, words):
    done = create(door, **options)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr


@pytest.mark.parametrize("options", [
    {"prefix": None}, {"key": "x"}, {"expires": "tomorrow"}, {"max_uses": 0}, {"max_uses": "many"}, {"subject": None},
    {"colour": "red"},
])
def test_what_is_not_understood_is_64(door, options):
    done = create(door, **options)
    assert done.returncode == 64 and "Usage" in done.stderr


def test_names_can_do_nothing_to_a_terminal(door):
    made = create(door, note="\u001b[2Jgone\u202e", prefix="a\tb/")
    assert made.returncode == 0, made.stderr
    shown = grant(door, "list").stdout
    assert "\u001b" not in shown and "\u202e" not in shown and "\\u{1b}[2Jgone\\u{202e}" in shown


def test_without_an_instance_it_is_1(tmp_path):
    for command in (["list"], ["revoke", "0" * 32],
                    ["create", "--subject", "link", "--bucket", "b", "--key", "k", "--expires", "1h"]):
        done = run([binary(), "grant", command[0], "--data", tmp_path / "none", *command[1:]])
        assert done.returncode == 1 and "no running instance" in done.stderr


def test_everything_is_in_the_audit_log(door):
    done = create(door, note="audited")
    identifier = done.stdout.split(",")[0].strip()
    assert grant(door, "revoke", identifier).returncode == 0
    assert eventually(lambda: any(line.get("reason") == f"revoke grant {identifier}" for line in door.audit_log()))
    lines = [line for line in door.audit_log() if line.get("issued", {}).get("id") == identifier]
    assert [line["action"] for line in lines if line["action"].startswith("create")] == ["create_grant"]
    assert lines[0]["who"] == "user:root" and lines[0]["source"] == "socket"


def test_a_link_whose_giver_was_revoked_is_not_listed_as_in_force(door):
    def state(identifier):
        (line,) = [line for line in grant(door, "list").stdout.splitlines() if line.startswith(identifier)]
        assert listed(door)[identifier]["state"].replace("_", " ") in line
        return listed(door)[identifier]["state"]

    def revoke(*options):
        done = run([binary(), "revoke", "user", "alice", "--config", door.config_path, *options], env=door.env)
        assert done.returncode == 0, done.stderr

    made = create(door, subject="link", grantor="user:alice")
    path = made.stdout.strip().removeprefix(door.endpoint) + "a.txt"
    identifier = made.stderr.split(",")[0]
    assert door.request("GET", path).status == 200 and state(identifier) == "in_force"
    revoke()
    assert door.request("GET", path).status == 404 and state(identifier) == "giver_revoked"
    revoke("--block")
    assert door.request("GET", path).status == 404 and state(identifier) == "giver_blocked"
    revoke("--unblock")
