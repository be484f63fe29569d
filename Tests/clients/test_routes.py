"""Routes: an application's own paths, carried by Gatehouse, redirected to the store, or whichever fits."""

import json
import time
import subprocess
import urllib.parse

import jwt
import pytest
import urllib3

from support.clients import s3_client
from support.gatehouse import eventually
from support.people import ALICE, account

SECRET = "shared-secret-of-the-application-0123456789"
PROVIDER = {
    "name": "app", "issuer": "app", "audiences": ["gatehouse"], "shared_secret": SECRET, "cookie": "session",
    "allowed_scopes": [{"bucket": "{sub}-bucket", "prefixes": [], "actions": ["read", "list", "write"]}],
}
VIDEO = bytes(range(256)) * 20
LARGE = b"L" * 300_000


def token(subject="alice", ttl=600, **claims):
    now = int(time.time())
    return jwt.encode({"iss": "app", "aud": "gatehouse", "sub": subject, "iat": now, "exp": now + ttl, **claims},
                      SECRET, "HS256")


def bearer(subject="alice", **more):
    return {"Authorization": "Bearer " + token(subject), **more}


def route(path, delivery="proxy", **more):
    return {"path": path, "bucket": "{sub}-bucket", "key": "{id}", "delivery": delivery, **more}


ROUTES = [
    route("/app/proxy/{id}", methods=["GET", "HEAD", "PUT"]),
    route("/app/redirect/{id}", "redirect", methods=["GET", "HEAD", "PUT"]),
    route("/app/auto/{id}", "auto", redirect_above="100KiB"),
    route("/app/saved/{id}", content_disposition="attachment; filename=\"saved.bin\"", content_type="text/plain"),
    route("/app/saved-there/{id}", "redirect", content_disposition="attachment", content_type="text/plain"),
    {"path": "/app/open/{id}", "bucket": "open-bucket", "key": "{id}", "anonymous": True},
    {"path": "/app/tree/{rest*}", "bucket": "{sub}-bucket", "key": "tree/{rest}"},
]


@pytest.fixture(scope="module")
def objects():
    return {"video.bin": VIDEO, "large": LARGE, "page.html": b"<script>alert(1)</script>", "a b+ä": b"nasty"}


def fill(client, objects):
    for bucket in ("alice-bucket", "bob-bucket", "open-bucket"):
        client.create_bucket(Bucket=bucket)
    for key, body in objects.items():
        kind = "text/html" if key.endswith(".html") else "application/octet-stream"
        for bucket in ("alice-bucket", "open-bucket"):
            client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)
    client.put_object(Bucket="alice-bucket", Key="tree/a/b", Body=b"leaf")
    client.put_object(Bucket="bob-bucket", Key="video.bin", Body=b"bob's own")


@pytest.fixture(scope="module", params=["store", "folder"])
def gate(request, tmp_path_factory, objects):
    """The same routes over SeaweedFS and over a folder."""
    from support.gatehouse import Gatehouse
    from support.seaweed import Seaweed

    folder = tmp_path_factory.mktemp("routes-" + request.param)
    names = ["alice-bucket", "bob-bucket"]
    stop = []
    admin = {
        "access_key_id": "AKROUTES00000EXAMPLE", "secret_access_key": "routes/Secret+0123456789abcdefghijklmno",
        "principal_name": "filler",
        "allowed_scopes": [{"bucket": "*", "prefixes": [], "actions": ["*"]}],
    }
    config = {
        "server": {}, "users": [ALICE.entry("user", ["alice-bucket"])], "identity_providers": [PROVIDER],
        "credentials": [admin], "routes": ROUTES,
    }
    if request.param == "store":
        store = Seaweed("routes", folder / "weed", "AKSTORE000000EXAMPLE", "store-secret-0123456789abcdef").start()
        stop.append(store)
        fill(s3_client(store.endpoint, store.access_key, store.secret_key), objects)
        config["accounts"] = [account("store", store, names)]
        config["buckets"] = [{"name": "open-bucket", "account": "store", "anonymous_access": True}]
    else:
        config["buckets"] = [
            {"name": name, "backend_type": "file", "backend_options": {"path": str(folder / "files")},
             "anonymous_access": name == "open-bucket"}
            for name in [*names, "open-bucket"]
        ]
    made = Gatehouse(folder / "gate", config).start()
    stop.insert(0, made)
    if request.param == "folder":
        client = s3_client(made.endpoint, admin["access_key_id"], admin["secret_access_key"])
        for bucket in (*names, "open-bucket"):
            for key, body in objects.items():
                kind = "text/html" if key.endswith(".html") else "application/octet-stream"
                if bucket != "bob-bucket":
                    client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)
        client.put_object(Bucket="alice-bucket", Key="tree/a/b", Body=b"leaf")
        client.put_object(Bucket="bob-bucket", Key="video.bin", Body=b"bob's own")
    made.kind = request.param
    made.store_port = stop[-1].port if request.param == "store" else made.port
    yield made
    for one in stop:
        one.stop()


def follow(location, method="GET", headers=None, body=None):
    return urllib3.PoolManager(retries=False).request(method, location, headers=headers or {}, body=body)


def test_everybody_reaches_their_own_bucket_by_the_same_path(gate):
    assert gate.request("GET", "/app/proxy/video.bin", bearer()).body == VIDEO
    assert gate.request("GET", "/app/proxy/video.bin", bearer("bob")).body == b"bob's own"
    # She may read her bucket, but there is none; who can't have one may nothing.
    stranger = gate.request("GET", "/app/proxy/video.bin", bearer("carol"))
    assert stranger.status == 404 and json.loads(stranger.body)["error"]["code"] == "NoSuchBucket"
    assert gate.request("GET", "/app/proxy/video.bin", bearer("carol/../alice")).status == 403
    nobody = gate.request("GET", "/app/proxy/video.bin")
    assert nobody.status == 401 and 'Bearer realm="gatehouse"' in nobody.headers.get_all("WWW-Authenticate")
    # A user of the configuration has no claims that could name a bucket.
    assert gate.request("GET", "/app/proxy/video.bin", ALICE.headers).status == 403
    assert gate.request("GET", "/app/proxy/large", bearer("bob")).status == 404


def test_a_player_seeks(gate):
    head = gate.request("HEAD", "/app/proxy/video.bin", bearer())
    assert (head.status, head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (200, "5120", "bytes")
    part = gate.request("GET", "/app/proxy/video.bin", bearer(Range="bytes=1000-1999"))
    assert (part.status, part.body) == (206, VIDEO[1000:2000])
    assert part.headers["Content-Range"] == "bytes 1000-1999/5120"
    same = bearer(Range="bytes=4000-", **{"If-Range": head.headers["ETag"]})
    assert gate.request("GET", "/app/proxy/video.bin", same).body == VIDEO[4000:]
    assert gate.request("GET", "/app/proxy/video.bin", bearer(Range="bytes=99999-")).status == 416
    fresh = gate.request("GET", "/app/proxy/video.bin", bearer(**{"If-None-Match": head.headers["ETag"]}))
    assert (fresh.status, fresh.body) == (304, b"")


def test_a_cookie_is_good_for_looking_and_nothing_else(gate):
    jar = {"Cookie": "theme=dark; session=" + token()}
    assert gate.request("GET", "/app/proxy/video.bin", jar).body == VIDEO
    assert gate.request("GET", "/app/proxy/video.bin", {**jar, "Range": "bytes=0-9"}).status == 206
    assert gate.request("PUT", "/app/proxy/by-cookie", jar, b"x").status == 401
    assert gate.request("GET", "/alice-bucket/video.bin", jar).status == 403
    assert gate.request("GET", "/app/proxy/video.bin", {"Cookie": "session=rubbish"}).status == 401


def test_pages_are_put_into_a_sandbox(gate):
    page = gate.request("GET", "/app/proxy/page.html", bearer())
    assert page.headers["Content-Security-Policy"] == "sandbox"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert gate.request("GET", "/app/proxy/video.bin", bearer()).headers["Content-Security-Policy"] is None


def test_type_and_disposition_are_the_routes(gate):
    saved = gate.request("GET", "/app/saved/page.html", bearer())
    assert saved.headers.get_all("Content-Type") == ["text/plain"]
    assert saved.headers.get_all("Content-Disposition") == ['attachment; filename="saved.bin"']
    there = json.loads(gate.request("GET", "/app/saved-there/page.html", bearer(Accept="application/json")).body)
    answer = follow(there["url"])
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain")
    assert answer.headers["Content-Disposition"] == "attachment"


def test_put(gate):
    put = gate.request("PUT", "/app/proxy/new.txt", bearer(**{"Content-Type": "text/x-new"}), b"new")
    assert put.status == 200 and put.headers["ETag"]
    got = gate.request("GET", "/app/proxy/new.txt", bearer())
    assert (got.body, got.headers["Content-Type"]) == (b"new", "text/x-new")
    assert gate.request("DELETE", "/app/proxy/new.txt", bearer()).status == 405


def test_anonymous(gate):
    assert gate.request("GET", "/app/open/video.bin").body == VIDEO
    assert gate.request("GET", "/app/open/absent").status == 404
    assert gate.request("GET", "/app/open/video.bin", {"Authorization": "Bearer forged"}).status == 401


@pytest.mark.parametrize("path, key", [
    ("/app/proxy/a%20b+%C3%A4", b"nasty"), ("/app/tree/a/b", b"leaf"), ("/app/tree/a%2Fb", b"leaf"),
])
def test_keys_go_through_byte_by_byte(gate, path, key):
    assert gate.request("GET", path, bearer()).body == key


@pytest.mark.parametrize("path", [
    "/app/proxy/a%2Fb", "/app/proxy/..", "/app/proxy/%2e%2e", "/app/tree/../video.bin", "/app/tree/%2e%2e/video.bin",
    "/app/tree/x%2f..%2f..%2fvideo.bin", "/app/proxy/a%00", "/app/proxy/" + "x" * 1100,
])
def test_confusing_paths_are_refused(gate, path):
    assert gate.request("GET", path, bearer()).status == 400


@pytest.mark.parametrize("subject", ["../alice", "alice/", "*", "ALICE", "", "alice-bucket/x", "{sub}"])
def test_a_token_reaches_nowhere_by_what_it_says(gate, subject):
    assert gate.request("GET", "/app/proxy/video.bin", bearer(subject)).status in (401, 403)


# Redirects


def test_what_clients_cannot_reach_is_carried(gate):
    if gate.kind == "store":
        pytest.skip("clients reach it")
    assert gate.request("GET", "/app/redirect/video.bin", bearer()).body == VIDEO
    assert gate.request("PUT", "/app/redirect/sent.txt", bearer(), b"sent").status == 200


def test_a_redirect_is_followed_to_the_object(gate):
    if gate.kind == "folder":
        pytest.skip("it is carried")
    answer = gate.request("GET", "/app/redirect/video.bin", bearer())
    assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
    location = urllib.parse.urlsplit(answer.headers["Location"])
    assert location.port == gate.store_port
    assert follow(answer.headers["Location"]).data == VIDEO
    assert follow(answer.headers["Location"], headers={"Range": "bytes=10-19"}).data == VIDEO[10:20]
    # One key, one method.
    elsewhere = answer.headers["Location"].replace("video.bin", "large")
    assert follow(elsewhere).status == 403
    assert follow(answer.headers["Location"], "PUT", body=b"x").status == 403
    head = gate.request("HEAD", "/app/redirect/video.bin", bearer())
    assert head.status == 302
    assert follow(head.headers["Location"], "HEAD").headers["Content-Length"] == "5120"


def test_curl_follows_a_redirect(gate, tmp_path):
    target = tmp_path / "got"
    subprocess.run(["curl", "-sSfL", "-H", "Authorization: Bearer " + token(), "-o", target,
                    gate.endpoint + "/app/redirect/video.bin"], check=True, timeout=300)
    assert target.read_bytes() == VIDEO


def test_a_put_is_redirected_with_its_body(gate):
    if gate.kind == "folder":
        pytest.skip("it is carried")
    answer = gate.request("PUT", "/app/redirect/sent.txt", bearer(), b"sent")
    assert answer.status == 307
    assert follow(answer.headers["Location"], "PUT", body=b"sent").status == 200
    assert gate.request("GET", "/app/proxy/sent.txt", bearer()).body == b"sent"
    # The size was part of what was signed.
    assert follow(answer.headers["Location"], "PUT", body=b"something longer").status == 403


def test_scripts_are_told_the_url(gate):
    answer = gate.request("GET", "/app/redirect/video.bin", bearer(Accept="application/json"))
    told = json.loads(answer.body)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (told["method"], told["headers"]) == ("GET", {})
    assert told["expires_at"].endswith("Z")
    assert follow(told["url"]).data == VIDEO


def test_a_url_does_not_outlive_the_token(gate):
    headers = {"Authorization": "Bearer " + token(ttl=25), "Accept": "application/json"}
    told = json.loads(gate.request("GET", "/app/redirect/video.bin", headers).body)
    assert told["capped_by"] == "caller_credential"
    assert int(urllib.parse.parse_qs(urllib.parse.urlsplit(told["url"]).query)["X-Amz-Expires"][0]) <= 25


def test_every_url_is_in_the_audit_log_before_it_is_anywhere_else(gate):
    before = len([line for line in gate.audit_log() if line.get("action") == "sign_url"])
    gate.request("GET", "/app/redirect/video.bin", bearer(Accept="application/json"))
    lines = [line for line in gate.audit_log() if line.get("action") == "sign_url"]
    assert len(lines) == before + 1
    assert (lines[-1]["who"], lines[-1]["bucket"], lines[-1]["key"]) == ("idp:app:alice", "alice-bucket", "video.bin")
    assert lines[-1]["issued"]["kind"] == "url" and lines[-1]["valid_until"]
    assert "X-Amz-Signature" not in gate.everything_written()


def test_bob_is_redirected_to_his_own_and_nobody_elses(gate):
    told = json.loads(gate.request("GET", "/app/redirect/video.bin", bearer("bob", Accept="application/json")).body)
    assert "/bob-bucket/" in told["url"] and follow(told["url"]).data == b"bob's own"
    assert follow(told["url"].replace("/bob-bucket/", "/alice-bucket/")).status == 403
    assert gate.request("GET", "/app/redirect/video.bin").status == 401
    assert gate.request("GET", "/app/redirect/video.bin", bearer("x/alice")).status == 403


def test_only_large_objects_leave_by_the_other_door(gate):
    small = gate.request("GET", "/app/auto/video.bin", bearer())
    assert (small.status, small.body) == (200, VIDEO)
    assert gate.request("GET", "/app/auto/video.bin", bearer(Range="bytes=0-9")).body == VIDEO[:10]
    assert gate.request("GET", "/app/auto/absent", bearer()).status == 404
    large = gate.request("GET", "/app/auto/large", bearer())
    if gate.kind == "store":
        assert large.status == 302
        assert follow(large.headers["Location"]).data == LARGE
    else:
        assert (large.status, large.body) == (200, LARGE)
    assert gate.request("HEAD", "/app/auto/large", bearer()).headers["Content-Length"] == str(len(LARGE))


def test_the_log_says_which_route(gate):
    gate.request("GET", "/app/proxy/video.bin", bearer())
    eventually(lambda: any("route /app/proxy/{id}" in line.get("reason", "") for line in gate.audit_log()))
