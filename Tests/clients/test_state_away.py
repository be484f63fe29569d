"""The state's file goes away and comes back; and a second instance wants it."""

import json
import sqlite3
import time

import pytest
from botocore.exceptions import ClientError
from support.clients import run, s3_client
from support.gatehouse import binary, eventually
from support.people import ALICE, FULL, ROOT, User, everywhere
from support.sts import Session, sts_client

BOB = User("bob", "bob-api-key-3b1f8d0c9a7e4f5566778899")
LATER = "2099-01-01T00:00:00Z"
STALENESS = 6


def config(folder):
    files = folder / "files"
    files.mkdir(exist_ok=True)
    return {
        "buckets": [{"name": "photos", "backend_type": "file", "backend_options": {"path": str(files)}}],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", []), ROOT.entry("admin", ["*"])],
        "credentials": [FULL.entry(everywhere())],
    }


def with_state(folder, **more):
    return {**config(folder),
            "state": {"store": f"sqlite:{folder / 'gatehouse' / 'state' / 'gatehouse.db'}",
                      "max_staleness": f"{STALENESS}s"}, **more}


class Door:
    """A gateway with one of everything that the state can take back."""

    def __init__(self, gateway):
        self.gateway = gateway
        client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
        client.put_object(Bucket="photos", Key="shared/a.txt", Body=b"0123456789", ContentType="text/plain")
        self.grant = self.give(subject="user:bob")
        self.link = self.give(subject="link")["link"].split(str(gateway.port), 1)[1] + "a.txt"
        answer = sts_client(gateway, FULL.access_key, FULL.secret_key).assume_role(
            RoleArn="arn:aws:iam::000000000000:role/self", RoleSessionName="run", DurationSeconds=900
        )
        self.session = Session(gateway, answer["Credentials"])

    def give(self, **more):
        body = {"bucket": "photos", "prefix": "shared/", "actions": ["get_object"], "expires_at": LATER, **more}
        answer = self.gateway.request("POST", "/-/v1/grants", {**ALICE.headers, "content-type": "application/json"},
                                      json.dumps(body).encode())
        assert answer.status == 201, answer
        return answer.json()

    def of_session(self):
        try:
            return self.session.s3().get_object(Bucket="photos", Key="shared/a.txt")["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    def statuses(self):
        """Of the grant, the link, the session, and somebody who is in the file."""
        ask = self.gateway.request
        return (ask("GET", "/photos/shared/a.txt", BOB.headers).status, ask("GET", self.link).status, self.of_session(),
                ask("GET", "/photos/shared/a.txt", ALICE.headers).status)

    def checks(self):
        checks = self.gateway.request("GET", "/-/ready", admin=True).json()["checks"]
        return {check["name"]: check for check in checks if check["name"].startswith("state:")}


@pytest.fixture
def door(tmp_path, gateway):
    return Door(gateway(with_state(tmp_path)))


def test_a_state_that_went_away_is_believed_for_a_while_and_comes_back(door):
    gate, state = door.gateway, door.gateway.folder / "state" / "gatehouse.db"
    assert door.statuses() == (200, 200, 200, 200)
    assert all(check["ok"] for check in door.checks().values()) and len(door.checks()) == 2
    gone = time.monotonic()
    state.rename(state.with_suffix(".away"))
    assert eventually(lambda: not any(check["ok"] for check in door.checks().values()))
    found = door.statuses()
    # What was seen last is older than that by as much as looks are apart.
    if time.monotonic() - gone < STALENESS / 2:
        assert found == (200, 200, 200, 200)
    assert eventually(lambda: door.statuses() == (503, 503, 503, 200))
    assert time.monotonic() - gone > STALENESS / 2
    answer = gate.request("GET", "/photos/shared/a.txt", BOB.headers)
    assert (answer.s3_code, answer.headers["retry-after"]) == ("ServiceUnavailable", "5")
    # Writing goes on too, and whoever is denied hears so.
    assert gate.request("PUT", "/photos/b", ALICE.headers, b"1").status == 200
    assert gate.request("GET", "/photos/other", BOB.headers).status == 403
    # What needs the state: giving, slots.
    for path, body in (("grants", {"subject": "user:bob", "prefix": "", "actions": ["get_object"], "expires_at": LATER}),
                       ("uploads", {"key": "x", "content_type": "image/png", "size": 1})):
        headers = {**ALICE.headers, "content-type": "application/json"}
        asked = gate.request("POST", f"/-/v1/{path}", headers, json.dumps({"bucket": "photos", **body}).encode())
        assert (asked.status, asked.s3_code) == (503, "ServiceUnavailable"), path
    with pytest.raises(ClientError) as refused:
        sts_client(gate, FULL.access_key, FULL.secret_key).assume_role(
            RoleArn="arn:aws:iam::000000000000:role/self", RoleSessionName="run")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert gate.status_of("/-/ready") == 200
    check = door.checks()["state:grants"]
    assert not check["ok"] and "answered 503" in check["detail"] and "removed or replaced" in check["detail"]
    assert gate.metric("gatehouse_state_away", content="grants") == 1
    assert gate.metric("gatehouse_state_age_seconds", content="revocations") > STALENESS
    state.with_suffix(".away").rename(state)
    assert eventually(lambda: door.statuses() == (200, 200, 200, 200))
    assert all(check["ok"] for check in door.checks().values())
    assert gate.metric("gatehouse_state_away", content="grants") == 0
    assert gate.request("DELETE", f"/-/v1/grants/{door.grant['id']}", ALICE.headers).status == 200
    assert door.statuses()[0] == 403
    told = gate.process.output()
    for words in ("can't be read: what was seen last holds for a while", "too long: sessions, grants and links", "can be read again"):
        assert words in told


def test_a_state_that_somebody_else_writes_to_is_read_all_the_same(door):
    """Another program that holds the file keeps us from writing, and what was taken back is known."""
    state = sqlite3.connect(door.gateway.folder / "state" / "gatehouse.db", isolation_level=None, timeout=10)
    state.execute("BEGIN EXCLUSIVE")
    try:
        time.sleep(STALENESS + 1)
        assert door.statuses() == (200, 200, 200, 200)
        refused = door.gateway.request("DELETE", f"/-/v1/grants/{door.grant['id']}", ALICE.headers)
        assert (refused.status, refused.s3_code) == (503, "ServiceUnavailable")
    finally:
        state.execute("ROLLBACK")
        state.close()
    assert door.gateway.request("DELETE", f"/-/v1/grants/{door.grant['id']}", ALICE.headers).status == 200
    assert door.statuses()[:2] == (403, 200)


@pytest.mark.parametrize("spelling", ["same", "link", "long"])
def test_a_second_instance_does_not_start_on_the_same_state(tmp_path, gateway, spelling):
    """A file is for one process, whatever its path is called; the first one goes on."""
    first = gateway(with_state(tmp_path))
    folder = first.folder / "state"
    if spelling == "link":
        (tmp_path / "other").symlink_to(folder)
        folder = tmp_path / "other"
    if spelling == "long":
        # No admin socket fits there that could say that somebody is here.
        folder = tmp_path / ("d" * 100)
        folder.symlink_to(first.folder / "state")
    second = gateway({**config(tmp_path), "state": {"store": f"sqlite:{folder / 'gatehouse.db'}"}}, name="second", start=False)
    second.launch()
    assert second.process.wait() == 1
    assert "another instance" in second.process.output()
    assert first.request("GET", "/photos", ALICE.headers).status == 200
    first.stop()
    assert second.start().request("GET", "/photos", ALICE.headers).status == 200


def test_staleness_has_to_be_longer_than_a_look(tmp_path):
    path = tmp_path / "gatehouse.toml"
    path.write_text('[state]\nmax_staleness = "1s"\n')
    done = run([binary(), "check", "--config", path])
    assert done.returncode == 1 and "max_staleness" in done.stdout + done.stderr
