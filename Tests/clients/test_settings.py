"""Settings that are read from the file, seen in what the gateway does."""

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client, signed
from support.people import ALICE, FULL, everywhere
from support.raw import RawConnection
from support.stub_store import response


def config(store, bucket=None, **more):
    options = {"endpoint": store.endpoint, "region": "us-east-1", "access_key_id": "AKBACKEND00000000000",
               "secret_access_key": "backend-secret-of-the-stub"}
    return {
        "accounts": [{"name": "stub", "backend_type": "s3", "buckets": ["photos"], "backend_options": options}],
        "buckets": [{"name": "special", "account": "stub", **(bucket or {})}],
        "credentials": [FULL.entry(everywhere())],
        "users": [ALICE.entry("user", ["*"])],
        **more,
    }


def test_frame_options_are_the_buckets(gateway, stub_store):
    gate = gateway(config(stub_store(response(body=b"x")), {"frame_options": "SAMEORIGIN"}))
    assert gate.request("GET", "/special/x", ALICE.headers).headers["X-Frame-Options"] == "SAMEORIGIN"
    assert gate.request("GET", "/photos/x", ALICE.headers).headers["X-Frame-Options"] == "DENY"
    # Strangers don't learn from it that there is such a bucket.
    for bucket in ("special", "photos", "nobodys"):
        assert gate.request("GET", f"/{bucket}/x").headers["X-Frame-Options"] == "DENY"
    assert gate.request("GET", "/-/health").headers["X-Frame-Options"] == "DENY"


def test_hsts_where_the_public_url_is_https(gateway, stub_store):
    store = stub_store(response(body=b"x"))
    secure = gateway(config(store, server={"public_url": "https://files.example.com"}), name="secure")
    plain = gateway(config(store, server={"public_url": "http://files.example.com"}), name="plain")
    for path, admin in [("/photos/x", False), ("/nowhere/x", False), ("/-/health", False), ("/-/health", True),
                        ("/metrics", True), ("/api/status", True)]:
        answer = secure.request("GET", path, ALICE.headers, admin=admin)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", path
        assert answer.headers["x-amz-request-id"], path
        assert plain.request("GET", path, ALICE.headers, admin=admin).headers["Strict-Transport-Security"] is None


def test_strict_keys(gateway, stub_store):
    def answer(seen):
        if "delete" in seen.target:
            return response(body=b"<DeleteResult></DeleteResult>")
        if seen.header("x-amz-copy-source"):
            return response(body=b"<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>")
        return response(headers=[("ETag", '"e"')])

    store = stub_store(answer)
    gate = gateway(config(store, server={"strict_keys": True}), name="strict")
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)

    def attempts(key):
        yield lambda: s3.get_object(Bucket="photos", Key=key)
        yield lambda: s3.put_object(Bucket="photos", Key=key, Body=b"x")
        yield lambda: s3.delete_object(Bucket="photos", Key=key)
        yield lambda: s3.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": "plain"}, {"Key": key}]})
        yield lambda: s3.copy_object(Bucket="photos", Key="plain", CopySource={"Bucket": "photos", "Key": key})
        yield lambda: s3.upload_part_copy(
            Bucket="photos", Key="plain", UploadId="u", PartNumber=1, CopySource={"Bucket": "photos", "Key": key}
        )

    for key in ("a/b", "a/", "a//b"):
        for attempt in attempts(key):
            with pytest.raises(ClientError) as error:
                attempt()
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, key
    assert store.seen == [], "the store was asked about a key that is not accepted"
    for attempt in list(attempts("plain"))[:5]:
        attempt()
    usual = gateway(config(store), name="usual")
    assert usual.request("GET", "/photos/a/b", ALICE.headers).status == 200


@pytest.mark.parametrize("limit, fits, not_", [("2KiB", 1500, 2100), ("64KiB", 40_000, 66_000)])
def test_max_header_bytes(gateway, stub_store, limit, fits, not_):
    gate = gateway(config(stub_store(response(body=b"ok")), server={"max_header_bytes": limit}))

    def status(size):
        with RawConnection(gate.port) as connection:
            # Of many fields, so that no bound on a single one is met first.
            padding = [(f"x-pad-{n}", "x" * 480) for n in range(size // 490)]
            try:
                return connection.request("GET", "/photos/x", [*ALICE.headers.items(), *padding]).answer()[0]
            except ConnectionError:
                return None

    assert status(fits) == 200
    assert status(not_ + 490) in (400, 431)


@pytest.mark.parametrize("who", ["always", "backend"])
def test_who_verifies_the_payload(gateway, stub_store, who):
    """The end of a body is held back where Gatehouse verifies it; where the store is known to, it gets all there is."""
    store = stub_store(response(headers=[("ETag", '"e"')]))
    gate = gateway(config(store, {"verify_payload": who}))
    url = gate.endpoint + "/special/x"
    headers = signed("PUT", url, FULL.access_key, FULL.secret_key, {}, payload_hash="0" * 64)
    answer = gate.request("PUT", "/special/x", headers, b"something else" * 100)
    if who == "backend":
        assert answer.status == 200, "the store had the last word, and said yes"
        assert (store.seen[0].body, store.seen[0].header("x-amz-content-sha256")) == (b"something else" * 100, "0" * 64)
    else:
        assert (answer.status, answer.s3_code) == (400, "XAmzContentSHA256Mismatch")
        assert not [seen for seen in store.seen if seen.complete]
