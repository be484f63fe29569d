"""Grants and links: what somebody gives to somebody else, through the store in a folder."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from support.clients import s3_client
from support.gatehouse import Gatehouse, eventually
from support.people import ALICE, FULL, User, everywhere

BOB = User("bob", "bob-api-key-3b1f8d0c9a7e4f5566778899")
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grants")
    (folder / "files").mkdir()
    config = {
        "buckets": [{"name": "photos", "backend_type": "file", "backend_options": {"path": str(folder / "files")}}],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", [])],
        "credentials": [FULL.entry(everywhere())],
        "audit": {"path": str(folder / "audit.jsonl")},
    }
    gateway = Gatehouse(folder, config).start()
    client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    for key, kind in (("shared/a.txt", "text/plain"), ("shared/page.html", "text/html"), ("other.txt", "text/plain")):
        client.put_object(Bucket="photos", Key=key, Body=b"0123456789", ContentType=kind)
    gateway.folder = folder
    yield gateway
    gateway.stop()


def give(gateway, headers=ALICE.headers, **changes):
    body = {"subject": "user:bob", "bucket": "photos", "prefix": "shared/", "actions": ["get_object"],
            "expires_at": LATER, **changes}
    body = {name: value for name, value in body.items() if value is not None}
    answer = gateway.request("POST", "/-/v1/grants", {**headers, "content-type": "application/json"},
                             json.dumps(body).encode())
    assert answer.status == 201, answer.text
    return answer.json()


def fetch(url, method="GET", headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers or {})) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def test_a_grant_holds_until_it_is_taken_back(door):
    path = "/photos/shared/a.txt"
    assert door.request("GET", path, BOB.headers).status == 403
    grant = give(door)["id"]
    assert door.request("GET", path, BOB.headers).status == 200
    assert door.request("GET", "/photos/other.txt", BOB.headers).status == 403
    assert door.request("PUT", path, BOB.headers, b"x").status == 403
    assert door.request("DELETE", f"/-/v1/grants/{grant}", BOB.headers).status == 404
    assert door.request("DELETE", f"/-/v1/grants/{grant}", ALICE.headers).status == 200
    assert door.request("GET", path, BOB.headers).status == 403


def test_a_link_reads_and_does_nothing_else(door):
    made = give(door, subject="link", prefix=None, key="shared/page.html")
    status, headers, body = fetch(made["link"])
    assert (status, body) == (200, b"0123456789")
    assert headers.get_all("cache-control") == ["no-store"]
    assert headers.get_all("referrer-policy") == ["no-referrer"]
    assert headers.get_all("content-security-policy") == ["sandbox"]
    assert fetch(made["link"], headers={"Range": "bytes=2-4"})[::2] == (206, b"234")
    assert fetch(made["link"], "HEAD")[0] == 200
    for method in ("PUT", "POST", "DELETE"):
        assert fetch(made["link"], method)[0] == 405
    token = made["link"].rsplit("/", 1)[1]
    assert fetch(f"{door.endpoint}/photos/shared/page.html?gh-link={token}")[0] == 200
    assert fetch(f"{door.endpoint}/photos/other.txt?gh-link={token}")[0] == 404
    assert door.request("DELETE", f"/-/v1/grants/{made['id']}", ALICE.headers).status == 200
    assert fetch(made["link"])[0] == 404


def test_one_use_is_one_however_many_ask_at_once(door):
    link = give(door, subject="link", prefix=None, key="shared/a.txt", max_uses=1)["link"]
    assert [fetch(link, "HEAD")[0] for _ in range(3)] == [200] * 3
    assert fetch(link, headers={"If-None-Match": "*"})[0] in (304, 412)
    statuses = []

    def ask():
        statuses.append(fetch(link)[0])

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [404] * 23
    # The same address goes on reading for a while.
    assert fetch(link, headers={"Range": "bytes=5-"})[::2] == (206, b"56789")
    assert fetch(link, headers={"Range": "bytes=0-"})[0] == 404


def test_a_use_that_finds_nothing_is_given_back(door):
    made = give(door, subject="link", max_uses=1)
    assert fetch(made["link"] + "missing")[0] == 404
    eventually(lambda: fetch(made["link"] + "a.txt")[0] == 200)
    assert fetch(made["link"] + "a.txt")[0] == 404


def test_grants_outlive_a_restart_and_tokens_are_in_no_log(door):
    link = give(door, subject="link")["link"] + "a.txt"
    token = link.split("/-/l/")[1].split("/")[0]
    assert fetch(link)[0] == 200
    door.stop()
    door.start()
    assert fetch(link.replace(link.split("/-/l/")[0], door.endpoint))[0] == 200
    text = b"".join(path.read_bytes() for path in door.folder.rglob("*") if path.is_file())
    assert token.encode() not in text
    audit = (door.folder / "audit.jsonl").read_text()
    assert '"action":"create_link"' in audit and '"who":"link:' in audit
