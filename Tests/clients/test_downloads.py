"""Signed URLs: `POST /-/v1/downloads` and `gatehouse presign`, used by clients that know nothing of Gatehouse."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from support.clients import run, s3_client
from support.gatehouse import Gatehouse, binary, eventually
from support.people import ALICE, FULL, account, everywhere

KEY = "reports/2027 +&ü.txt"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north):
    folder = tmp_path_factory.mktemp("desk")
    (folder / "files").mkdir()
    config = {
        "accounts": [account("north", north, ["photos"])],
        "buckets": [
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}},
            {"name": "prefixed", "account": "north", "backend_prefix": "v2",
             "backend_options": {"bucket_name": "shared", "public_endpoint": north.endpoint}},
        ],
        "users": [ALICE.entry("user", ["photos", "local", "prefixed"])],
        "credentials": [FULL.entry(everywhere())],
    }
    gateway = Gatehouse(folder, config).start()
    client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    for bucket in ("photos", "local", "prefixed"):
        client.put_object(Bucket=bucket, Key=KEY, Body=f"in {bucket}".encode(), ContentType="text/plain")
    yield gateway
    gateway.stop()


def ask(gateway, body, headers=ALICE.headers):
    return gateway.request(
        "POST", "/-/v1/downloads", {**headers, "content-type": "application/json"}, json.dumps(body).encode()
    )


def fetch(url, method="GET", headers=None, body=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


@pytest.mark.parametrize("via", ["store", "gatehouse", "auto"])
@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_a_url_reads_its_object(desk, north, bucket, via):
    answer = ask(desk, {"bucket": bucket, "key": KEY, "ttl": "1m", "via": via, "filename": "ü.txt",
                        "content_type": "text/csv"})
    assert answer.status == 200, answer.text
    signed = answer.json()
    leads_to_store = bucket != "local" and via != "gatehouse"
    assert signed["via"] == ("store" if leads_to_store else "gatehouse")
    assert signed["url"].startswith(north.endpoint if leads_to_store else desk.endpoint)
    status, headers, body = fetch(signed["url"])
    assert (status, body) == (200, f"in {bucket}".encode())
    assert headers["content-type"] == "text/csv"
    assert headers["content-disposition"] == "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"
    assert fetch(signed["url"], headers={"Range": "bytes=3-4"})[2] == bucket[:2].encode()
    assert fetch(signed["url"], "PUT", body=b"x")[0] == 403


def test_a_head_is_signed_as_head(desk):
    signed = ask(desk, {"bucket": "photos", "key": KEY, "method": "HEAD", "via": "gatehouse"}).json()
    assert signed["method"] == "HEAD"
    assert fetch(signed["url"], "HEAD")[0] == 200
    assert fetch(signed["url"])[0] == 403


def test_a_url_to_the_gateway_ends_with_the_rights_of_its_owner(desk):
    url = ask(desk, {"bucket": "photos", "key": KEY, "via": "gatehouse"}).json()["url"]
    assert fetch(url)[0] == 200
    before = desk.config
    narrowed = {**before, "users": [ALICE.entry("user", ["local"])]}
    try:
        desk.write_config(narrowed)
        assert eventually(lambda: fetch(url)[0] == 403)
        desk.write_config({**before, "users": []})
        assert eventually(lambda: b"InvalidAccessKeyId" in fetch(url)[2])
    finally:
        desk.write_config(before)
    assert eventually(lambda: fetch(url)[0] == 200)


def test_urls_outlive_a_restart(desk):
    url = ask(desk, {"bucket": "local", "key": KEY}).json()["url"]
    desk.stop()
    desk.start()
    assert fetch(url)[0] == 200


def test_issue_and_use_are_in_the_audit_log_and_nothing_secret(desk):
    signed = ask(desk, {"bucket": "local", "key": KEY}).json()
    fetch(signed["url"])
    assert eventually(lambda: any(signed["id"] in line.get("reason", "") for line in desk.audit_log()))
    issued = [line for line in desk.audit_log() if line.get("issued", {}).get("id") == signed["id"]]
    assert [(line["who"], line["action"], line["bucket"], line["key"]) for line in issued] == [
        ("user:alice", "sign_download", "local", KEY)
    ]
    assert issued[0]["valid_until"] > issued[0]["time"] and issued[0]["request_id"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(signed["url"]).query)
    written = desk.everything_written()
    for secret in ("X-Amz-Signature", "X-Amz-Security-Token"):
        assert query[secret][0] not in written


def test_errors_are_json_with_a_request_id(desk):
    for path, method, status in [("/-/v1/nothing", "GET", 404), ("/-/v1/downloads", "DELETE", 405)]:
        answer = desk.request(method, path, ALICE.headers)
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["error"]["request_id"] == answer.headers["x-amz-request-id"]
        assert answer.json()["error"]["resource"] == path
    assert desk.request("DELETE", "/-/v1/downloads", ALICE.headers).headers["allow"] == "POST"
    anonymous = desk.request("POST", "/-/v1/downloads", {"content-type": "application/json"}, b"{}")
    assert anonymous.status == 403 and anonymous.json()["error"]["code"] == "MissingAuthenticationToken"


# MARK: gatehouse presign


def presign(desk, *arguments):
    answer = run([binary(), "presign", *arguments, "--config", str(desk.config_path), "--json"])
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_presign_get(desk, bucket):
    signed = presign(desk, "get", f"{bucket}/{KEY}", "--filename", "a.txt", "--ttl", "90s")
    status, headers, body = fetch(signed["url"])
    assert (status, body) == (200, f"in {bucket}".encode())
    assert headers["content-disposition"] == 'attachment; filename="a.txt"'


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_presign_put_takes_the_announced_object_alone(desk, bucket):
    signed = presign(desk, "put", f"{bucket}/put by url", "--content-type", "image/png", "--size", "3")
    assert signed["headers"] == {"content-length": "3", "content-type": "image/png"}
    headers = {"Content-Type": "image/png"}
    assert fetch(signed["url"], "PUT", headers, b"four")[0] == 403
    assert fetch(signed["url"], "PUT", {"Content-Type": "text/html"}, b"png")[0] == 403
    assert fetch(signed["url"], "PUT", headers, b"png")[0] == 200
    assert fetch(presign(desk, "get", f"{bucket}/put by url")["url"])[2] == b"png"


@pytest.mark.parametrize(
    "arguments, code",
    [(["photos"], 64), (["nobody/a"], 1), (["photos/a", "--ttl", "8d"], 64), (["photos/../a"], 1),
     (["photos/a", "--config", "missing.toml"], 1), (["local/a", "--key", "AKUNKNOWN"], 1)],
)
def test_presign_refuses(desk, arguments, code):
    config = [] if "--config" in arguments else ["--config", str(desk.config_path)]
    answer = run([binary(), "presign", "get", *arguments, *config])
    assert (answer.returncode, answer.stdout) == (code, "")
    assert answer.stderr
