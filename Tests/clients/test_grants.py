"""Grants and links: what somebody gives to somebody else, through the store in a folder."""

import http.client
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone

import pytest
from support.clients import s3_client
from support.gatehouse import Gatehouse, eventually
from support.issuer import Issuer
from support.people import ALICE, FULL, User, account, everywhere

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
        "server": {"trusted_proxies": ["127.0.0.1"]},
    }
    gateway = Gatehouse(folder, config).start()
    client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    for key, kind in (("shared/a.txt", "text/plain"), ("shared/page.html", "text/html"), ("other.txt", "text/plain")):
        client.put_object(Bucket="photos", Key=key, Body=b"0123456789", ContentType=kind)
    gateway.folder = folder
    yield gateway
    gateway.stop()


class Caller:
    """Where requests seem to come from: wrong links count against an address, and each test shall have its own."""

    count = 0
    address = ""


@pytest.fixture(autouse=True)
def caller():
    Caller.count += 1
    Caller.address = f"198.51.100.{Caller.count}"


def ask(gateway, method, path, headers=None):
    return gateway.request(method, path, {"X-Forwarded-For": Caller.address, **(headers or {})})


def give(gateway, headers=ALICE.headers, **changes):
    body = {"subject": "user:bob", "bucket": "photos", "prefix": "shared/", "actions": ["get_object"],
            "expires_at": LATER, **changes}
    body = {name: value for name, value in body.items() if value is not None}
    answer = gateway.request("POST", "/-/v1/grants", {**headers, "content-type": "application/json"},
                             json.dumps(body).encode())
    assert answer.status == 201, answer.text
    return answer.json()


def fetch(url, method="GET", headers=None):
    headers = {"X-Forwarded-For": Caller.address, **(headers or {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers)) as answer:
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


def test_what_is_given_with_a_token_ends_in_time(gateway, tmp_path):
    """`max_grant_ttl`: however late the giver wants it to end."""
    issuer = Issuer()
    try:
        (tmp_path / "files").mkdir()
        scopes = [{"bucket": "photos", "actions": ["read", "share", "share_link"]}]
        gate = gateway({
            "buckets": [{"name": "photos", "backend_type": "file", "backend_options": {"path": str(tmp_path / "files")}}],
            "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", [])],
            "identity_providers": [issuer.entry(allowed_scopes=scopes, max_grant_ttl="2h")],
        })
        for subject in ["user:bob", "link"]:
            before = time.time()
            made = give(gate, issuer.bearer(), subject=subject)
            end = datetime.fromisoformat(made["expires_at"]).timestamp()
            assert before + 7200 - 1 <= end <= time.time() + 7200
            soon = datetime.fromtimestamp(int(time.time()) + 60, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            assert give(gate, issuer.bearer(), subject=subject, expires_at=soon)["expires_at"] == soon
        # A user's own lasts as long as they say, within ten years.
        assert give(gate)["expires_at"] > made["expires_at"]
    finally:
        issuer.stop()


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


def test_reads_that_come_to_nothing_lend_nobody_the_rest(door):
    """A conditional read takes a use, is answered with 304 and gives it back: nothing can be read in the meantime on its account."""
    made = [give(door, subject="link", prefix=None, key="shared/a.txt", max_uses=1) for _ in range(8)]
    etag = fetch(made[0]["link"], "HEAD")[1]["etag"]
    read = {one["id"]: 0 for one in made}

    def condition(one):
        for _ in range(6):
            fetch(one["link"], headers={"If-None-Match": etag})

    def rest(one):
        for _ in range(6):
            read[one["id"]] += fetch(one["link"], headers={"Range": "bytes=1-"})[0] == 206

    threads = [threading.Thread(target=work, args=(one,)) for one in made for work in (condition, rest)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def uses():
        listed = door.request("GET", "/-/v1/grants?subject=link", ALICE.headers).json()["grants"]
        return {grant["id"]: grant.get("uses") for grant in listed if grant["id"] in read}

    # Whoever read had the use, and has it still; what came to nothing is back.
    assert eventually(lambda: uses() == {one: min(count, 1) for one, count in read.items()})


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


def test_taking_back_holds_within_a_second_for_who_asks_all_the_time(door):
    grant, link = give(door)["id"], give(door, subject="link", prefix=None, key="shared/a.txt")
    seen, stop = [], threading.Event()

    def hammer(path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=120)
        while not stop.is_set():
            began = time.monotonic()
            connection.request("GET", path, headers={"X-Forwarded-For": Caller.address, **headers})
            answer = connection.getresponse()
            answer.read()
            seen.append((path, began, time.monotonic(), answer.status))

    link_path = link["link"].split(str(door.port), 1)[1]
    threads = [threading.Thread(target=hammer, args=given) for given in
               [("/photos/shared/a.txt", BOB.headers)] * 2 + [(link_path, {})] * 2]
    for thread in threads:
        thread.start()

    def before(path, moment):
        return [status for asked, began, ended, status in list(seen) if asked == path and ended < moment]

    def after(path, moment):
        return [status for asked, began, ended, status in list(seen) if asked == path and began > moment]

    for path, name in (("/photos/shared/a.txt", grant), (link_path, link["id"])):
        assert eventually(lambda: len(before(path, time.monotonic())) > 10)
        asked = time.monotonic()
        assert door.request("DELETE", f"/-/v1/grants/{name}", ALICE.headers).status == 200
        revoked = time.monotonic()
        assert eventually(lambda: len(after(path, revoked)) > 10)
        assert set(before(path, asked)) == {200}
        assert set(after(path, revoked)) <= {403, 404, 429}, path
    stop.set()
    for thread in threads:
        thread.join()


def test_five_uses_are_five_however_many_ask_at_once(door):
    made = [give(door, subject="link", prefix=None, key="shared/a.txt", max_uses=5)["link"], "/photos/shared/a.txt"]
    give(door, max_uses=5)
    for place in made:
        url, headers = (place, {}) if "/-/l/" in place else (door.endpoint + place, BOB.headers)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(fetch(url, headers=headers)[0])) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 5 + [403 if headers else 404] * 15


def test_only_reading_from_the_beginning_is_a_use(door):
    made = give(door, subject="link", prefix=None, key="shared/a.txt", max_uses=2)
    link = made["link"]

    def uses():
        listed = door.request("GET", "/-/v1/grants?subject=link", ALICE.headers).json()["grants"]
        return next(grant["uses"] for grant in listed if grant["id"] == made["id"])

    assert fetch(link, headers={"If-Match": '"other"'})[::2] == (412, b"")
    status, headers, body = fetch(link, headers={"Range": "bytes=99-"})
    assert (status, headers["content-range"], body) == (416, "bytes */10", b"")
    for method, asked, status, used in [
        ("HEAD", None, 200, 0), ("GET", "bytes=0-3", 206, 1), ("GET", "bytes=4-7", 206, 1),
        ("HEAD", "bytes=0-3", 206, 1), ("GET", "bytes=8-", 206, 1), ("GET", "bytes=-10", 206, 2), ("GET", "bytes=5-", 206, 2),
        ("GET", "bytes=0-0", 404, 2), ("GET", None, 404, 2), ("GET", "bytes=-3", 404, 2), ("HEAD", None, 200, 2),
    ]:
        got = fetch(link, method, {"Range": asked} if asked else {})[0]
        allowed = {200, 206} if method == "HEAD" and status < 300 else {status}
        assert got in allowed, (method, asked, got)
        assert eventually(lambda: uses() == used), (method, asked, uses())
    # Whoever took no use goes on with none.
    Caller.address = "203.0.113.9"
    for method, asked in (("HEAD", None), ("GET", "bytes=5-"), ("GET", None)):
        assert fetch(link, method, {"Range": asked} if asked else {})[0] == 404


def test_a_link_that_is_good_for_nothing_has_one_answer(door):
    """Unknown, used up, expired, taken back, of something else, of nothing: the same to the byte, but for the request's id."""
    used = give(door, subject="link", prefix=None, key="shared/a.txt", max_uses=1)["link"]
    assert fetch(used)[0] == 200
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8))
    expired = give(door, subject="link", prefix=None, key="shared/a.txt", expires_at=soon)["link"]
    revoked = give(door, subject="link", prefix=None, key="shared/a.txt")
    assert door.request("DELETE", f"/-/v1/grants/{revoked['id']}", ALICE.headers).status == 200
    missing = give(door, subject="link", prefix=None, key="shared/missing.txt")["link"]
    folder = give(door, subject="link")["link"]
    assert eventually(lambda: fetch(expired)[0] == 404)
    # An unknown one is as long as the others.
    unknown = revoked["link"][:-8] + "AAAAAAAA"

    def answer(url):
        status, headers, body = fetch(url)
        token = re.compile(re.escape(urllib.parse.urlsplit(url).path).encode())
        shown = {name.lower(): value for name, value in headers.items() if name.lower() not in ("date", "x-amz-request-id", "content-length")}
        body = re.sub(rb'"request_id":"[^"]*"', b"", token.sub(b"PATH", body))
        return status, sorted(shown.items()), body

    wanted = answer(unknown)
    assert wanted[0] == 404
    for url in (used, expired, revoked["link"], missing, folder + "missing.txt", folder[:-1], used + "/more"):
        assert answer(url) == wanted, url


@pytest.mark.parametrize("behind", [
    "..%2fother.txt", "../other.txt", "%2e%2e/other.txt", "shared/..%2f..%2fother.txt", "shared/%2e%2e%2fother.txt",
    "other.txt", "/other.txt", "shared%00/a.txt", "shared\\..\\other.txt", "sharedx", "", "/", "%2Fphotos%2Fother.txt",
    ".gatehouse/quarantine/x/shared/a.txt",
])
def test_a_link_leads_nowhere_but_behind_its_prefix(door, behind):
    base = give(door, subject="link")["link"].removesuffix("shared/")
    path = base.split(str(door.port), 1)[1] + behind
    for method in ("GET", "HEAD"):
        answer = ask(door, method, path)
        assert answer.status in (400, 404), (path, answer.status)
        assert b"0123456789" not in answer.body
    query = ask(door, "GET", f"/photos/{behind}?gh-link={base.rstrip('/').rsplit('/', 1)[1]}")
    assert query.status in (400, 403, 404) and b"0123456789" not in query.body


@pytest.mark.parametrize("headers, query", [
    (ALICE.headers, ""), ({"authorization": "Bearer a.b.c"}, ""), ({"authorization": "Basic eA=="}, ""),
    ({"x-amz-security-token": "t"}, ""), ({}, "&X-Amz-Signature=0&X-Amz-Credential=x"), ({}, "&Signature=x&AWSAccessKeyId=y"),
    ({}, "&gh-link=AAAA"), ({}, "&versionId=1"), ({}, "&acl"), ({}, "&response-content-type=text%2Fhtml"),
])
def test_a_link_is_the_only_credential_and_says_nothing_else(door, headers, query):
    token = give(door, subject="link", prefix=None, key="shared/a.txt")["link"].rsplit("/", 1)[1]
    assert fetch(f"{door.endpoint}/photos/shared/a.txt?gh-link={token}")[0] == 200
    status, _, body = fetch(f"{door.endpoint}/photos/shared/a.txt?gh-link={token}{query}", headers=headers)
    assert status in (400, 401, 403, 404) and b"0123456789" not in body


def test_urls_that_outlive_a_grant_are_told_when_it_is_taken_back(tmp_path, gateway, north, north_s3):
    north_s3.put_object(Bucket="photos", Key="shared/outliving.txt", Body=b"0123456789")
    gate = gateway({
        "accounts": [account("north", north, ["photos"])],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", [])],
        "routes": [{"path": "/r/{key*}", "bucket": "photos", "key": "{key}", "delivery": "redirect", "ttl": "30s"}],
    })
    grant = give(gate)["id"]
    asked = gate.request("POST", "/-/v1/downloads", {**BOB.headers, "content-type": "application/json"},
                         json.dumps({"bucket": "photos", "key": "shared/outliving.txt", "ttl": "10m"}).encode())
    assert asked.json()["via"] == "store"
    assert gate.request("GET", "/r/shared/outliving.txt", BOB.headers).status == 302
    # What is given on its account ends with it, whatever was asked for.
    short = give(gate, expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 240)), prefix="brief/")
    capped = gate.request("POST", "/-/v1/downloads", {**BOB.headers, "content-type": "application/json"},
                          json.dumps({"bucket": "photos", "key": "brief/x", "ttl": "10m"}).encode()).json()
    assert (capped["capped_by"], capped["expires_at"]) == ("grant", short["expires_at"])
    taken = gate.request("DELETE", f"/-/v1/grants/{grant}", ALICE.headers).json()
    assert [url["key"] for url in taken["outstanding_urls"]] == ["shared/outliving.txt"] * 2
    assert taken["last_expires_at"] == asked.json()["expires_at"]
    assert gate.request("GET", "/r/shared/outliving.txt", BOB.headers).status == 403
    assert fetch(asked.json()["url"])[2] == b"0123456789"


def test_a_slot_ends_with_the_grants_that_it_rests_on(door):
    """In every mode, and for all that the answer says; what is allowed without a grant is not cut short by one."""
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 240))
    give(door, actions=["put_object"], expires_at=end)
    give(door, actions=["put_object"], expires_at=LATER, prefix="elsewhere/")
    give(door, subject="user:alice", actions=["put_object"], expires_at=end)

    def asked(who, mode, **more):
        body = {"bucket": "photos", "key": f"shared/{mode}", "content_type": "text/plain", "size": 5, "mode": mode,
                "ttl": "5m", **more}
        answer = door.request("POST", "/-/v1/uploads", {**who.headers, "content-type": "application/json"},
                              json.dumps(body).encode())
        assert answer.status == 201, answer
        return answer.json()

    for mode in ("put", "post", "multipart"):
        slot = asked(BOB, mode)
        assert (slot["expires_at"], slot["capped_by"]) == (end, "grant"), mode
        assert "capped_by" not in asked(ALICE, mode)
    parts = door.request("GET", f"/-/v1/uploads/{slot['id']}/parts?numbers=1", BOB.headers).json()["parts"]
    assert parts[0]["expires_at"] == end
