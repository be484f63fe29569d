"""What must not pass: every refusal is precise, and nothing of it reaches the store."""

import hashlib
import os
import resource
import time

import pytest
from botocore.exceptions import ClientError

from support.clients import presigned, s3_client, signed
from support.gatehouse import binary, eventually
from support.people import ALICE, FULL, account, within
from support.process import Process
from support.raw import RawConnection
from support.stub_store import response


def send(gate, method, path, headers=None, body=b"", **options):
    """A request signed by botocore as the caller that may do everything."""
    url = gate.endpoint + path
    all_headers = signed(method, url, FULL.access_key, FULL.secret_key, headers, body, **options)
    return gate.request(method, path, all_headers, body or None)


@pytest.fixture
def kept(s3, north_s3):
    """An object that must be the same afterwards."""
    s3.put_object(Bucket="photos", Key="refusals/kept", Body=b"as it was", Metadata={"k": "1"})
    yield "/photos/refusals/kept"
    after = north_s3.get_object(Bucket="photos", Key="refusals/kept")
    assert (after["Body"].read(), after["Metadata"]) == (b"as it was", {"k": "1"})


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "query", ["nonsense", "acl&tagging", "tagging&tagging", "x-id=PutObject&annotation", "inventory&id=1", "Tagging"]
)
def test_unknown_or_doubled_subresource_is_not_implemented(gate, kept, method, query):
    answer = send(gate, method, f"{kept}?{query}", body=b"overwritten" if method in ("PUT", "POST") else b"")
    assert answer.status == 501, answer
    assert answer.s3_code == "NotImplemented"


@pytest.mark.parametrize("method, query", [("PUT", "tagging"), ("PUT", "acl"), ("PUT", "retention"),
                                           ("PUT", "legal-hold"), ("DELETE", "tagging"), ("POST", "restore"),
                                           ("POST", "select&select-type=2")])
def test_subresource_never_becomes_a_plain_write_or_delete(gate, kept, method, query):
    answer = send(gate, method, f"{kept}?{query}", body=b"<x/>" if method != "DELETE" else b"")
    assert answer.status < 600


def test_upload_id_on_get_lists_parts_and_never_returns_the_object(gate, kept):
    answer = send(gate, "GET", f"{kept}?uploadId=0123456789abcdef0123456789abcdef")
    assert answer.status == 404 and answer.s3_code == "NoSuchUpload"


def test_delete_of_a_version_never_deletes_the_current_object(gateway, stub_store):
    """Judged by what the store is asked: SeaweedFS itself takes an unknown version for the current one."""
    store = stub_store(response(204, reason="No Content", length=False))
    alone = gateway({
        "accounts": [{"name": "stub", "backend_type": "s3", "buckets": ["photos"],
                      "backend_options": {"endpoint": store.endpoint, "region": "us-east-1"}}],
        "credentials": [FULL.entry([within("photos", [], "*", "delete_object_version")])],
    })
    send(alone, "DELETE", "/photos/x?versionId=0123456789abcdef")
    assert all("versionId=0123456789abcdef" in seen.target for seen in store.seen)


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_refused(gate, kept, method):
    with RawConnection(gate.port) as connection:
        status, _, _ = connection.request(method, kept, ALICE.headers).answer()
    assert status in (400, 405, 501)


def test_chunks_signed_by_an_algorithm_that_is_not_known_are_not_implemented_and_never_stored(gate, kept):
    body = b"5\r\nhello\r\n0\r\n\r\n"
    headers = {"x-amz-decoded-content-length": "5", "content-encoding": "aws-chunked"}
    answer = send(gate, "PUT", kept, headers, body, payload_hash="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
    assert (answer.status, answer.s3_code) == (501, "NotImplemented")


@pytest.mark.parametrize("size", [10, 16_384, 16_385, 1_000_000])
def test_body_that_differs_from_its_signed_hash_is_not_committed(gate, north_s3, size):
    path = f"/photos/refusals/forged-{size}"
    claimed, sent = os.urandom(size), os.urandom(size)
    headers = signed("PUT", gate.endpoint + path, FULL.access_key, FULL.secret_key, body=claimed)
    answer = gate.request("PUT", path, headers, sent)
    assert (answer.status, answer.s3_code) == (400, "XAmzContentSHA256Mismatch")
    with pytest.raises(ClientError):
        north_s3.head_object(Bucket="photos", Key=path.removeprefix("/photos/"))


def test_body_that_differs_from_its_signed_hash_is_not_committed_by_the_embedded_store(gate, s3):
    path = "/local/refusals/forged"
    headers = signed("PUT", gate.endpoint + path, FULL.access_key, FULL.secret_key, body=b"a" * 50_000)
    answer = gate.request("PUT", path, headers, b"b" * 50_000)
    assert (answer.status, answer.s3_code) == (400, "XAmzContentSHA256Mismatch")
    with pytest.raises(ClientError):
        s3.head_object(Bucket="local", Key="refusals/forged")


def test_body_that_stops_early_is_not_committed(gate, north_s3):
    path, body = "/photos/refusals/short", os.urandom(200_000)
    headers = signed("PUT", gate.endpoint + path, FULL.access_key, FULL.secret_key, body=body)
    with RawConnection(gate.port) as connection:
        connection.request("PUT", path, {**headers, "Host": f"127.0.0.1:{gate.port}",
                                         "Content-Length": str(len(body))})
        connection.send(body[:150_000])
    with pytest.raises(ClientError):
        north_s3.head_object(Bucket="photos", Key="refusals/short")


def test_upload_that_ends_before_its_first_byte_leaves_the_object_as_it_was(gate, s3, north_s3):
    """SeaweedFS commits an empty object when a body of ten bytes ends after none: it must not see such a request."""
    s3.put_object(Bucket="photos", Key="refusals/before", Body=b"as it was")
    for _ in range(3):
        with RawConnection(gate.port) as connection:
            connection.request("PUT", "/photos/refusals/before", {**ALICE.headers, "Content-Length": "10"})
            time.sleep(0.1)
    time.sleep(0.3)
    assert north_s3.get_object(Bucket="photos", Key="refusals/before")["Body"].read() == b"as it was"


def test_put_without_a_length_is_411(gate):
    with RawConnection(gate.port) as connection:
        status, _, _ = connection.request("PUT", "/photos/refusals/no-length", ALICE.headers).answer()
    assert status == 411


def test_continue_comes_only_after_authorization(gate):
    headers = {"Expect": "100-continue", "Content-Length": "5"}
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/refusals/expect", {**headers, "x-api-key": "wrong"})
        status, _ = connection.head()
        assert status in (401, 403), "an unauthorized body was invited"
    with RawConnection(gate.port) as connection:
        connection.request("PUT", "/photos/refusals/expect", {**headers, **ALICE.headers})
        assert connection.head()[0] == 100
        connection.send(b"hello")
        assert connection.answer()[0] == 200


def test_an_empty_object_that_awaits_a_100_gets_one_and_the_connection_serves_on(gate):
    headers = {"Expect": "100-continue", "Content-Length": "0", **ALICE.headers}
    with RawConnection(gate.port) as connection:
        for _ in range(2):
            connection.request("PUT", "/photos/refusals/empty", headers)
            assert connection.head()[0] == 100
            assert connection.answer()[0] == 200


@pytest.mark.parametrize("length", ["0", "5"])
def test_an_answer_in_place_of_the_100_is_the_last_of_its_connection(gate, length):
    """botocore takes it for the answer to its next request on that connection as well, and waits a minute for more."""
    headers = {"Expect": "100-continue", "Content-Length": length, "x-api-key": "wrong"}
    with RawConnection(gate.port) as connection:
        status, fields = connection.request("PUT", "/photos/refusals/expect", headers).head()
    assert status in (401, 403) and fields["connection"] == "close"


def test_object_larger_than_the_limit_is_refused_before_its_body(gate):
    with RawConnection(gate.port) as connection:
        connection.request(
            "PUT", "/photos/refusals/huge", {**ALICE.headers, "Content-Length": str(65 * 1024 * 1024)}
        )
        status, _, body = connection.answer()
    assert status == 400 and b"EntityTooLarge" in body


def test_wrong_region_names_the_right_one(gate):
    answer = send(gate, "GET", "/photos/refusals/kept", region="eu-west-3")
    assert (answer.status, answer.s3_code) == (400, "AuthorizationHeaderMalformed")
    assert "us-east-1" in answer.text


def test_boto3_corrects_a_wrong_region_by_the_answer(gate, s3):
    s3.put_object(Bucket="photos", Key="refusals/region", Body=b"found")
    elsewhere = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key, region="eu-west-3")
    assert elsewhere.get_object(Bucket="photos", Key="refusals/region")["Body"].read() == b"found"


def test_wrong_secret_is_a_signature_mismatch_and_says_nothing_more(gate):
    s3 = s3_client(gate.endpoint, FULL.access_key, "not the secret")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="photos", Key="x")
    answer = error.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (403, "SignatureDoesNotMatch")
    assert "SignatureProvided" not in str(answer) and "StringToSign" not in str(answer)


def test_unknown_access_key(gate):
    s3 = s3_client(gate.endpoint, "AKNOBODY000000000000", "whatever")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="photos", Key="x")
    assert error.value.response["Error"]["Code"] == "InvalidAccessKeyId"


def test_old_signature_is_refused(gate, monkeypatch):
    import botocore.auth
    import datetime

    long_ago = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=16)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: long_ago)
    answer = send(gate, "GET", "/photos/x")
    assert (answer.status, answer.s3_code) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("name, value", [("x-amz-meta-added", "1"), ("x-amz-acl", "public-read"),
                                         ("x-amz-storage-class", "GLACIER")])
def test_amz_header_added_after_signing_is_refused(gate, kept, name, value):
    body = b"overwritten"
    headers = signed("PUT", gate.endpoint + kept, FULL.access_key, FULL.secret_key, body=body)
    answer = gate.request("PUT", kept, {**headers, name: value}, body)
    assert answer.status == 403


def test_signed_header_that_is_absent_is_refused(gate, kept):
    headers = signed(
        "GET", gate.endpoint + kept, FULL.access_key, FULL.secret_key, {"x-amz-meta-gone": ""}
    )
    headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-meta-gone"}
    assert gate.request("GET", kept, headers).status in (400, 403)


def test_v2_signature_in_the_header_is_refused_with_advice(gate):
    header = gate.request("GET", "/photos/x", {"Authorization": "AWS AKFULL0000000EXAMPLE:c2lnbmF0dXJl"})
    assert header.status == 400 and "AWS4-HMAC-SHA256" in header.text


@pytest.mark.parametrize("value", ["", "Basic YTpi", "nonsense", "x" * 99])
def test_unreadable_authorization_is_denied_as_s3_denies(gate, value):
    """In XML, and not as if nobody had asked."""
    for path in ("/public/open.txt", "/photos/x"):
        answer = gate.request("GET", path, {"Authorization": value})
        assert answer.status == 403 and "<Code>AccessDenied</Code>" in answer.text


def test_presigned_url_of_zero_seconds_has_expired(gate):
    url = presigned("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key, expires=0)
    answer = gate.request("GET", url.removeprefix(gate.endpoint))
    assert answer.status == 403 and "<Code>AccessDenied</Code>" in answer.text


def test_two_credentials_are_refused(gate, kept):
    url = gate.endpoint + kept
    header = signed("GET", url, FULL.access_key, FULL.secret_key)
    query = presigned("GET", url, FULL.access_key, FULL.secret_key).removeprefix(gate.endpoint)
    for path, headers in [
        (kept, {**header, **ALICE.headers}),
        (query, ALICE.headers),
        (query, header),
        (kept, {**ALICE.headers, "Authorization": "Bearer abc"}),
    ]:
        answer = gate.request("GET", path, headers)
        assert answer.status == 400, answer
        assert answer.body != b"as it was"


@pytest.mark.parametrize("path", [
    "/photos/../docs/x", "/photos/a/../x", "/photos/%2e%2e/docs/x", "/photos/a/%2E%2E/x", "/photos/./x",
    "/photos/a/%2e/x", "/photos/..", "/photos/%2e%2e%2fdocs/x", "/photos/a%2f..%2fx",
])
def test_dot_segments_are_refused(gate, path):
    with RawConnection(gate.port) as connection:
        status, _, _ = connection.request("GET", path, ALICE.headers).answer()
    assert status == 400


@pytest.mark.parametrize("path", ["/photos/%", "/photos/%zz", "/photos/%c3%28", "/photos/%00", "/photos/a%ff"])
def test_bad_encoding_is_refused(gate, path):
    with RawConnection(gate.port) as connection:
        status, _, _ = connection.request("GET", path, ALICE.headers).answer()
    assert status == 400


def test_key_longer_than_1024_bytes(gate):
    answer = gate.request("PUT", "/photos/" + "k" * 1025, ALICE.headers, b"x")
    assert (answer.status, answer.s3_code) == (400, "KeyTooLongError")


def test_xml_with_a_doctype_is_refused(gate):
    body = (
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b"<Delete><Object><Key>&e;</Key></Object></Delete>"
    )
    md5 = __import__("base64").b64encode(hashlib.md5(body).digest()).decode()
    answer = send(gate, "POST", "/photos?delete", {"content-md5": md5}, body)
    assert answer.status == 400 and "root:" not in answer.text


SMUGGLING = {
    "length and chunked": "PUT /photos/s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": "PUT /photos/s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "bare line feed": "GET /photos/s HTTP/1.1\nHost: a\n\n",
    "folded header": "GET /photos/s HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "space before the colon": "GET /photos/s HTTP/1.1\r\nHost : a\r\n\r\n",
    "no host": "GET /photos/s HTTP/1.1\r\n\r\n",
    "two hosts": "GET /photos/s HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "control character": "GET /photos/s HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n",
    "signed length": "PUT /photos/s HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    "odd transfer encoding": "PUT /photos/s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_requests_are_refused_and_the_connection_closed(gate, name):
    with RawConnection(gate.port) as connection:
        connection.send(SMUGGLING[name] + "GET /-/health HTTP/1.1\r\nHost: a\r\n\r\n")
        status, _ = connection.head()
        assert status in (400, 501)
        assert connection.rest().count(b"HTTP/1.1 ") == 0, "the connection went on after an ambiguous request"


def test_head_larger_than_the_limit_is_refused(gate):
    with RawConnection(gate.port) as connection:
        connection.send("GET /photos/x HTTP/1.1\r\nHost: a\r\n" + "X-Filler: " + "y" * 40_000 + "\r\n\r\n")
        assert connection.head()[0] in (400, 431)
    with RawConnection(gate.port) as connection:
        connection.send("GET /photos/" + "z" * 20_000 + " HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.head()[0] in (400, 414, 431)


def test_pipelined_requests_are_answered_in_order(gate, s3):
    for n in range(5):
        s3.put_object(Bucket="public", Key=f"pipe/{n}", Body=str(n).encode() * (n + 1))
    with RawConnection(gate.port) as connection:
        connection.send("".join(f"GET /public/pipe/{n} HTTP/1.1\r\nHost: a\r\n\r\n" for n in range(5)))
        for n in range(5):
            status, _, body = connection.answer()
            assert (status, body) == (200, str(n).encode() * (n + 1))


def test_every_answer_carries_request_id_and_hardening_headers(gate, s3):
    s3.put_object(Bucket="public", Key="hardened", Body=b"x")
    for method, path in [("GET", "/public/hardened"), ("GET", "/public/none"), ("GET", "/photos/x"),
                         ("PUT", "/public/x?nonsense"), ("GET", "/-/health"), ("HEAD", "/public/hardened")]:
        answer = gate.request(method, path)
        assert answer.headers["x-amz-request-id"], path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["X-Frame-Options"] == "DENY", path
        assert answer.headers["Strict-Transport-Security"] is None, "HSTS over plain http"


def test_nothing_is_served_that_cannot_be_recorded(gateway, north, north_s3):
    north_s3.put_object(Bucket="photos", Key="refusals/recorded", Body=b"x")
    path = "/photos/refusals/recorded"
    gate = gateway({
        "accounts": [account("north", north, ["photos"])],
        "users": [ALICE.entry("user", ["photos"])],
        "audit": {"on_error": "deny"},
    }, start=False)
    # A file that may not grow is a full disk for one process: writing fails with EFBIG where SIGXFSZ is ignored.
    command = ["env", "--ignore-signal=XFSZ", binary(), "serve", "--config", gate.config_path]
    gate.process = Process("gatehouse", command, gate.folder, env=gate.env, cwd=gate.folder)
    gate.process.wait_until(lambda: gate.status_of("/-/ready") == 200, 120)

    def answers(status):
        return eventually(lambda: gate.request("GET", path, ALICE.headers).status == status, step=0.05)

    assert answers(200)
    time.sleep(0.3)
    full = gate.audit_path.stat().st_size + 100
    resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    assert answers(503)
    for method, headers in [("GET", ALICE.headers), ("PUT", ALICE.headers), ("GET", {})]:
        answer = gate.request(method, path, headers, b"y" if method == "PUT" else None)
        assert answer.status == 503 and b"ServiceUnavailable" in answer.body
        assert answer.headers["Retry-After"] == "1"
    assert gate.status_of("/-/health") == 200
    unready = gate.request("GET", "/-/ready")
    assert unready.status == 503 and b"audit" not in unready.body, "what is wrong is nothing for the public"
    detail = gate.request("GET", "/-/ready", admin=True)
    assert detail.status == 503
    assert {"name": "audit", "ok": False, "detail": "lines are being lost"} in detail.json()["checks"]
    resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert answers(200)
    assert gate.status_of("/-/ready") == 200
    assert eventually(lambda: sum(line.get("reason") == "audit_unavailable" for line in gate.audit_log()) >= 4)
    lines = gate.audit_log()
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert north_s3.get_object(Bucket="photos", Key="refusals/recorded")["Body"].read() == b"x"
