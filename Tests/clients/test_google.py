"""Google Cloud Storage behind Gatehouse: unmodified S3 clients in front, a stand-in that verifies behind, and
fake-gcs-server where it knows the XML API. What the stand-in is worth is shown by Google's own library, which drives it.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError
from google.cloud import storage
from google.cloud.storage._media.requests import XMLMPUContainer, XMLMPUPart
from google.oauth2 import service_account
from support.clients import s3_client
from support.clouds import VerifyingGoogle
from support.fake_gcs import FakeGCS
from support.gatehouse import Gatehouse
from support.google_store import GoogleStore
from support.nasty_keys import NASTY_KEYS
from support.people import ALICE, FULL, everywhere
from support.raw import RawConnection
from support.slots import complete, issue, put, use

MIB = 1 << 20
ACCESS_ID, SECRET = "GOOG1EXAMPLEACCESSID", "hmac-secret-45c48cce2e2d7fbdea1afc51"


@pytest.fixture(scope="module")
def google():
    store = GoogleStore(credentials={ACCESS_ID: SECRET}, tokens={"a-token"}, buckets=("photos-at-google", "open-at-google"),
                        public=("open-at-google",)).start()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def account(google):
    """The key file of a service account, whose tokens are issued next door."""
    tokens = VerifyingGoogle("", "", google)
    yield tokens.key_file
    tokens.stop()


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    server = FakeGCS(tmp_path_factory.mktemp("fake-gcs")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def front(tmp_path_factory, google, fake, account):
    folder = tmp_path_factory.mktemp("google")
    (folder / "account.json").write_text(json.dumps(account))
    key = {"endpoint": google.endpoint, "hmac_access_id": ACCESS_ID, "hmac_secret": SECRET}
    here = {"bucket_name": "photos-at-google"}
    gateway = Gatehouse(folder, {
        "buckets": [
            {"name": "photos", "backend_type": "gcs", "backend_options": {**key, **here}},
            {"name": "prefixed", "backend_type": "gs", "backend_prefix": "v2/area", "backend_options": {**key, **here}},
            {"name": "owned", "backend_type": "gcs", "backend_prefix": "owned", "backend_options": {
                **here, "endpoint": google.endpoint, "service_account_key": f"file:{folder / 'account.json'}"}},
            {"name": "wrong", "backend_type": "gcs", "backend_options": {**key, **here, "hmac_secret": "another"}},
            {"name": "open-data", "backend_type": "gcs", "anonymous_access": True, "backend_options": {
                "endpoint": google.endpoint, "bucket_name": "open-at-google"}},
            {"name": "fake", "backend_type": "gcs", "backend_options": {
                "endpoint": fake.endpoint, "bucket_name": "fake-bucket", "hmac_access_id": ACCESS_ID,
                "hmac_secret": SECRET}},
        ],
        "users": [ALICE.entry("user", ["photos", "prefixed", "owned", "fake"])],
        "credentials": [FULL.entry(everywhere())],
        "uploads": {"max_size": "1GiB", "on_mismatch": "delete"},
    }).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def s3(front):
    return s3_client(front.endpoint, FULL.access_key, FULL.secret_key)


BUCKETS = pytest.mark.parametrize("bucket", ["photos", "prefixed", "owned"])


def fresh(name="object"):
    return f"{uuid.uuid4().hex}/{name}"


def code(call):
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]


def fetch(url, method="GET", headers=None, data=None):
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=data)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


# --- The stand-in itself


def test_googles_own_library_drives_the_stand_in(google, account, tmp_path):
    credentials = service_account.Credentials.from_service_account_info(account)
    client = storage.Client(project="p", credentials=credentials)
    blob = client.bucket("photos-at-google").blob("sdk/a b+ü.txt")

    def url(method, **more):
        return blob.generate_signed_url(version="v4", expiration=60, method=method, api_access_endpoint=google.endpoint,
                                        **more)

    only_new = {"x-goog-if-generation-match": "0", "content-type": "text/x"}
    address = url("PUT", headers=only_new)
    assert fetch(address, "PUT", only_new, b"hello")[0] == 200
    assert fetch(address, "PUT", only_new, b"again")[0] == 412
    assert fetch(address, "PUT", {"content-type": "text/x"}, b"unsigned condition left out")[0] == 400
    assert fetch(url("GET"))[2] == b"hello"
    assert fetch(url("GET").replace("a%20b", "other"))[0] == 403

    (tmp_path / "part").write_bytes(b"x" * 100)
    session, where = AuthorizedByToken("a-token"), f"{google.endpoint}/photos-at-google/sdk/parts"
    container = XMLMPUContainer(where, "parts")
    container.initiate(transport=session, content_type="text/y")
    part = XMLMPUPart(where, container.upload_id, str(tmp_path / "part"), 0, 100, 1, checksum="md5")
    part.upload(session)
    container.register_part(1, part.etag)
    container.finalize(session)
    assert google.buckets["photos-at-google"]["sdk/parts"].data == b"x" * 100


class AuthorizedByToken:
    """A session as the library wants one."""

    def __init__(self, token):
        import requests

        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def request(self, *arguments, **options):
        return self.session.request(*arguments, **options)


def test_the_stand_in_refuses_what_google_refuses(google):
    where = f"{google.endpoint}/photos-at-google/k"
    assert fetch(where)[0] == 401
    assert fetch(where, headers={"Authorization": "Bearer other"})[0] == 401
    assert fetch(where, "PUT", {"Authorization": "Bearer a-token", "x-amz-meta-a": "1"}, b"")[0] == 400
    assert fetch(where + "?acl", headers={"Authorization": "Bearer a-token"})[0] == 400


# --- The S3 surface


@BUCKETS
def test_an_object_comes_back_as_it_was_put(s3, google, bucket):
    key, body = fresh("a b+ü%.bin"), os.urandom(300_000)
    put_ = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/x", Metadata={"one": "1", "Two": "b c"},
                         CacheControl="max-age=5", ContentDisposition="inline", ChecksumAlgorithm="CRC32C")
    assert put_["ETag"] == f'"{hashlib.md5(body).hexdigest()}"' and put_["ChecksumCRC32C"]
    got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    assert got["ChecksumCRC32C"] == put_["ChecksumCRC32C"]
    assert (got["ContentType"], got["Metadata"], got["CacheControl"]) == ("text/x", {"one": "1", "two": "b c"}, "max-age=5")
    head = s3.head_object(Bucket=bucket, Key=key)
    assert (head["ContentLength"], head["ETag"], head["Metadata"]) == (len(body), got["ETag"], got["Metadata"])
    part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=-7", ResponseContentType="text/z")
    assert (part["Body"].read(), part["ContentRange"]) == (body[-7:], f"bytes 299993-299999/{len(body)}")
    assert part["ContentType"] == "text/z"
    assert code(lambda: s3.get_object(Bucket=bucket, Key=key, Range="bytes=300000-")) == (416, "InvalidRange")
    assert code(lambda: s3.get_object(Bucket=bucket, Key=key, IfNoneMatch=got["ETag"]))[0] == 304
    assert code(lambda: s3.get_object(Bucket=bucket, Key=key, IfMatch='"0"')) == (412, "PreconditionFailed")
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_object(Bucket=bucket, Key=key)
    assert code(lambda: s3.get_object(Bucket=bucket, Key=key)) == (404, "NoSuchKey")


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_every_framing_of_a_body_arrives_whole(s3, google, size):
    for algorithm in ("CRC32", "CRC64NVME", "SHA256"):
        key, body = fresh(), os.urandom(size)
        s3.put_object(Bucket="photos", Key=key, Body=body, ChecksumAlgorithm=algorithm)
        assert google.buckets["photos-at-google"][key].data == body


def test_a_body_that_is_not_what_was_promised_is_never_kept(front, s3, google):
    key = fresh()
    wrong = base64.b64encode(bytes(4)).decode()
    client = s3_client(front.endpoint, FULL.access_key, FULL.secret_key)
    assert code(lambda: client.put_object(Bucket="photos", Key=key, Body=b"x", ChecksumCRC32C=wrong))[1] in (
        "BadDigest", "InvalidRequest")
    assert key not in google.buckets["photos-at-google"]


def test_gzip_comes_as_it_was_put_and_never_unpacked(front, s3):
    """Peers: transcoding changes bytes and takes the length away."""
    key, packed = fresh(), gzip.compress(b"hello " * 1000)
    s3.put_object(Bucket="photos", Key=key, Body=packed, ContentEncoding="gzip", ContentType="text/plain")
    head = s3.head_object(Bucket="photos", Key=key)
    assert (head["ContentLength"], head["ContentEncoding"]) == (len(packed), "gzip")
    url = s3.generate_presigned_url("get_object", {"Bucket": "photos", "Key": key})
    for accepted in ("identity", "gzip", "br", None):
        status, headers, body = fetch(url, headers={"Accept-Encoding": accepted} if accepted else {})
        assert (status, body, headers["content-length"]) == (200, packed, str(len(packed))), accepted
    part = s3.get_object(Bucket="photos", Key=key, Range="bytes=0-9")
    assert (part["Body"].read(), part["ContentRange"]) == (packed[:10], f"bytes 0-9/{len(packed)}")


def test_conditions_are_generations(s3, google):
    key = fresh()
    etag = s3.put_object(Bucket="photos", Key=key, Body=b"1", IfNoneMatch="*")["ETag"]
    assert code(lambda: s3.put_object(Bucket="photos", Key=key, Body=b"2", IfNoneMatch="*")) == (412, "PreconditionFailed")
    assert google.buckets["photos-at-google"][key].data == b"1"
    assert code(lambda: s3.put_object(Bucket="photos", Key=key, Body=b"2", IfMatch='"0"')) == (412, "PreconditionFailed")
    assert google.buckets["photos-at-google"][key].data == b"1"
    large = os.urandom(3 * MIB)
    etag = s3.put_object(Bucket="photos", Key=key, Body=large, IfMatch=etag)["ETag"]
    assert google.buckets["photos-at-google"][key].data == large
    assert code(lambda: s3.put_object(Bucket="photos", Key=key + "/none", Body=b"2", IfMatch=etag)) == (404, "NoSuchKey")
    assert code(lambda: s3.delete_object(Bucket="photos", Key=key, IfMatch='"0"')) == (412, "PreconditionFailed")
    s3.delete_object(Bucket="photos", Key=key, IfMatch=etag)
    assert key not in google.buckets["photos-at-google"]


def test_a_body_that_was_never_asked_for_is_not_taken_out_of_the_next_request(front, s3):
    """The store is asked for the generation first; a client that waits for 100 Continue then sends its next request instead."""
    key = fresh()
    s3.put_object(Bucket="photos", Key=key, Body=b"1")
    with RawConnection(front.port) as connection:
        connection.request("PUT", f"/photos/{key}", {
            **ALICE.headers, "Expect": "100-continue", "Content-Length": "5", "If-Match": '"0"'})
        status, headers = connection.head()
        assert (status, headers["connection"]) == (412, "close"), "no body was invited, and none is waited for"


@BUCKETS
def test_listings_page_in_both_versions(s3, bucket):
    base = f"{uuid.uuid4().hex}/"
    names = ["a", "a b+c", "d/1", "d/2", "d/e/3", "ü", "x&y<z>", "z%41"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=base + name, Body=b"1234")
    wanted = {"Bucket": bucket, "Prefix": base}
    for operation in ("list_objects_v2", "list_objects"):
        pages = list(s3.get_paginator(operation).paginate(**wanted, PaginationConfig={"PageSize": 3}))
        assert [len(page["Contents"]) for page in pages] == [3, 3, 2]
        entries = [entry for page in pages for entry in page["Contents"]]
        assert [entry["Key"] for entry in entries] == [base + name for name in sorted(names, key=str.encode)]
        assert {entry["Size"] for entry in entries} == {4}
    folders = s3.list_objects_v2(**wanted, Delimiter="/")
    assert [entry["Prefix"] for entry in folders["CommonPrefixes"]] == [base + "d/"]
    assert len(folders["Contents"]) == 5
    assert [entry["Key"] for entry in s3.list_objects_v2(**wanted, StartAfter=base + "d/2")["Contents"]][0] == base + "d/e/3"


@pytest.mark.parametrize("key", NASTY_KEYS, ids=ascii)
def test_keys_are_kept_byte_for_byte(s3, google, key):
    name = "keys/" + key
    if len(name.encode()) > 1024:
        name = key
    s3.put_object(Bucket="photos", Key=name, Body=name.encode())
    assert google.buckets["photos-at-google"][name].data == name.encode()
    assert s3.get_object(Bucket="photos", Key=name)["Body"].read() == name.encode()
    s3.delete_object(Bucket="photos", Key=name)


@BUCKETS
def test_copies_are_googles_own_within_google(s3, google, bucket):
    source, target = fresh("from here+ü"), fresh("to")
    etag = s3.put_object(Bucket="photos", Key=source, Body=b"copied", Metadata={"a": "1"}, ContentType="text/x-a")["ETag"]
    before = len(google.seen)
    done = s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": "photos", "Key": source})
    assert done["CopyObjectResult"]["ETag"] == etag
    own = bucket != "owned"
    assert any("x-goog-copy-source" in headers for _, _, headers in google.seen[before:]) == own
    got = s3.get_object(Bucket=bucket, Key=target)
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"copied", {"a": "1"}, "text/x-a")
    s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": target}, MetadataDirective="REPLACE",
                   Metadata={"b": "2"}, ContentType="text/x-b")
    assert s3.head_object(Bucket=bucket, Key=target)["Metadata"] == {"b": "2"}
    missing = {"Bucket": "photos", "Key": "not there"}
    assert code(lambda: s3.copy_object(Bucket=bucket, Key=target, CopySource=missing))[0] == 404
    stale = {"CopySource": {"Bucket": "photos", "Key": source}, "CopySourceIfMatch": '"0"'}
    assert code(lambda: s3.copy_object(Bucket=bucket, Key=target, **stale)) == (412, "PreconditionFailed")


@BUCKETS
def test_many_are_deleted_at_once(s3, google, bucket):
    keys = [fresh("a&b"), fresh("<c>"), fresh("gone")]
    for key in keys[:2]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in done["Deleted"]) == sorted(keys) and "Errors" not in done
    assert not any(key in name for name in google.buckets["photos-at-google"] for key in keys)


@BUCKETS
def test_uploads_in_parts(s3, google, bucket):
    key, bodies = fresh("parts"), [os.urandom(5 * MIB), os.urandom(5 * MIB), os.urandom(1000)]
    where = {"Bucket": bucket, "Key": key}
    s3.put_object(Bucket=bucket, Key=key + " source", Body=bodies[1])
    upload = s3.create_multipart_upload(**where, Metadata={"a": "1"}, ContentType="text/x")["UploadId"]
    assert upload in [entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket=bucket, Prefix=key)["Uploads"]]
    parts = []
    for number in (1, 3):
        done = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=bodies[number - 1])
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    copied = s3.upload_part_copy(**where, UploadId=upload, PartNumber=2, CopySource={"Bucket": bucket, "Key": key + " source"})
    parts.insert(1, {"PartNumber": 2, "ETag": copied["CopyPartResult"]["ETag"]})
    listed = s3.list_parts(**where, UploadId=upload, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(1, 5 * MIB), (2, 5 * MIB)]
    assert listed["IsTruncated"] and listed["Key"] == key and listed["Bucket"] == bucket
    wrong = [{**parts[0], "ETag": '"00000000000000000000000000000000"'}, *parts[1:]]
    assert code(lambda: s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": wrong})) == (
        400, "InvalidPart")
    done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    got = s3.get_object(**where)
    assert got["Body"].read() == b"".join(bodies)
    assert (got["ETag"], got["Metadata"], got["ContentType"]) == (done["ETag"], {"a": "1"}, "text/x")
    assert code(lambda: s3.list_parts(**where, UploadId=upload)) == (404, "NoSuchUpload")
    other = s3.create_multipart_upload(**where)["UploadId"]
    s3.abort_multipart_upload(**where, UploadId=other)
    assert code(lambda: s3.upload_part(**where, UploadId=other, PartNumber=1, Body=b"x")) == (404, "NoSuchUpload")


def test_transfers_of_boto3_are_whole(s3):
    key, body = fresh(), os.urandom(20 * MIB)
    s3.upload_fileobj(io.BytesIO(body), "prefixed", key)
    back = io.BytesIO()
    s3.download_fileobj("prefixed", key, back)
    assert back.getvalue() == body


def test_buckets_are_seen_under_our_names(s3):
    assert s3.head_bucket(Bucket="photos")["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="photos")["LocationConstraint"] is None
    assert "photos" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("call", [
    lambda s3: s3.get_object_tagging(Bucket="photos", Key="k"),
    lambda s3: s3.put_object(Bucket="photos", Key="k", Body=b"", Tagging="a=1"),
    lambda s3: s3.list_object_versions(Bucket="photos"),
    lambda s3: s3.get_object(Bucket="photos", Key="k", VersionId="1"),
    lambda s3: s3.get_object(Bucket="photos", Key="k", PartNumber=1),
])
def test_what_google_has_no_like_of_is_501_and_reaches_nobody(s3, google, call):
    before = len(google.seen)
    assert code(lambda: call(s3)) == (501, "NotImplemented")
    assert len(google.seen) == before


def test_our_own_credential_is_our_own_trouble(s3):
    assert code(lambda: s3.get_object(Bucket="wrong", Key="k"))[1] == "BackendAuthFailed"


def test_what_everybody_may_read_needs_no_credential(front, google):
    google.put("open-at-google", "k", b"open", {"content-type": "text/plain"})
    assert fetch(f"{front.endpoint}/open-data/k")[2] == b"open"
    assert google.seen[-1][2].get("authorization") is None
    assert fetch(f"{front.endpoint}/open-data/k", "PUT", data=b"x")[0] == 403


# --- URLs, slots, gateways


@BUCKETS
def test_a_signed_url_leads_to_google(front, s3, google, bucket):
    key = fresh("a b+ü.txt")
    s3.put_object(Bucket=bucket, Key=key, Body=b"linked", ContentType="text/plain")
    answer = front.request("POST", "/-/v1/downloads", {**ALICE.headers, "content-type": "application/json"}, json.dumps(
        {"bucket": bucket, "key": key, "ttl": "1m", "via": "store", "filename": "ü.txt"}).encode())
    assert answer.status == 200, answer.text
    url = answer.json()["url"]
    assert url.startswith(google.endpoint)
    assert ("GOOG4-RSA-SHA256" if bucket == "owned" else "GOOG4-HMAC-SHA256") in url
    status, headers, body = fetch(url)
    assert (status, body) == (200, b"linked") and "attachment" in headers["content-disposition"]
    assert fetch(url.replace("X-Goog-Expires=", "X-Goog-Expires=1"))[0] == 403


@BUCKETS
def test_a_slot_binds_what_is_put_at_google(front, google, bucket):
    body = b"\x89PNG and so on"
    slot = issue(front, len(body), bucket=bucket, metadata={"of": "alice"})
    assert slot["upload"]["url"].startswith(google.endpoint) and slot["once"]
    assert slot["upload"]["headers"]["x-goog-if-generation-match"] == "0"
    assert use(slot, body + b"longer") == 400
    assert use(slot, body) == 200
    assert use(slot, body) == 412
    done = complete(front, slot)
    assert done.status == 200, done.text
    assert done.json()["size"] == len(body)


@BUCKETS
@pytest.mark.parametrize("extra", [
    {"x-goog-meta-of": "attacker"}, {"x-goog-meta-more": "x"}, {"x-amz-meta-more": "x"},
    {"content-encoding": "gzip"}, {"content-disposition": "attachment; filename=x.exe"},
], ids=lambda extra: next(iter(extra)))
def test_what_nobody_promised_does_not_come_with_a_slot_to_google(front, bucket, extra):
    """Extension headers that are not signed are refused there; what has no such name is not, and completion notices."""
    body = b"\x89PNG and so on"
    slot = issue(front, len(body), bucket=bucket, metadata={"of": "alice"})
    status = use(slot, body, **extra)
    if next(iter(extra)).startswith("x-"):
        assert status in (400, 403)
        assert complete(front, slot).s3_code == "UploadNotFound"
    else:
        refused = complete(front, slot)
        assert (status, refused.s3_code, refused.json()["error"]["fields"]) == (200, "UploadMismatch", ["metadata"])


def test_a_slot_in_parts_is_put_together_once(front, s3, google):
    body = os.urandom(17 * MIB)
    slot = issue(front, len(body), mode="multipart", content_type="video/mp4")
    answer = front.request("GET", f"/-/v1/uploads/{slot['id']}/parts?numbers=1-2", ALICE.headers)
    sent, size = 0, slot["parts"]["size"]
    for part in answer.json()["parts"]:
        assert put(part["url"], part["headers"], body[sent:sent + size])[0] == 200
        sent += size
    done = complete(front, slot)
    assert done.status == 200, done.text
    assert s3.get_object(Bucket="photos", Key=slot["key"])["Body"].read() == body


def test_a_form_slot_is_promoted_within_google(front, s3):
    body = b"\x89PNG and so on"
    slot = issue(front, len(body), mode="post")
    assert use(slot, body) in (200, 201, 204)
    done = complete(front, slot)
    assert done.status == 200, done.text
    assert s3.get_object(Bucket="photos", Key=slot["key"])["Body"].read() == body


def test_a_gateway_gets_a_signature_for_this_request_only(front, google):
    google.put("photos-at-google", "via gateway", b"carried", {"content-type": "text/plain"})

    def ask(path, method="GET"):
        return front.request(method, "/-/authz/envoy/s3" + path, ALICE.headers)

    answer = ask("/photos/via%20gateway")
    assert answer.status == 200, answer.text
    assert "x-amz-date" in answer.headers["x-envoy-auth-headers-to-remove"]
    fields = {name: answer.headers[name] for name in ("authorization", "x-goog-date", "x-goog-content-sha256")}
    where = f"{google.endpoint}{answer.headers['x-gatehouse-upstream-path']}"
    assert fetch(where, headers=fields)[2] == b"carried"
    assert fetch(where + "2", headers=fields)[0] == 403
    assert ask("/owned/k").status == 403, "a token is never given away"
    assert ask("/photos?list-type=2").status == 403


# --- fake-gcs-server


def test_objects_of_googles_library_are_read_through_gatehouse(front, s3, fake):
    bucket, packed = fake.client().bucket("fake-bucket"), gzip.compress(b"hello " * 500)
    blob = bucket.blob("sdk/a b.txt")
    blob.metadata, blob.content_encoding = {"one": "1"}, "gzip"
    blob.upload_from_string(packed, content_type="text/plain")
    got = s3.get_object(Bucket="fake", Key="sdk/a b.txt", ChecksumMode="ENABLED")
    assert got["Body"].read() == packed
    assert (got["Metadata"], got["ContentEncoding"], got["ChecksumCRC32C"]) == ({"one": "1"}, "gzip", blob.crc32c)
    part = s3.get_object(Bucket="fake", Key="sdk/a b.txt", Range="bytes=3-9")
    assert part["Body"].read() == packed[3:10]
    assert code(lambda: s3.get_object(Bucket="fake", Key="none"))[0] == 404


def test_what_a_slots_url_puts_is_there_for_googles_library(front, fake):
    body = b"\x89PNG and so on"
    slot = issue(front, len(body), bucket="fake", metadata={"of": "alice"})
    assert put(slot["upload"]["url"], slot["upload"]["headers"], body)[0] == 200
    # This store passes over the condition that a key is free, so that the bytes wait elsewhere for the slot's end.
    landing = urllib.parse.unquote(urllib.parse.urlsplit(slot["upload"]["url"]).path).split("/", 2)[2]
    assert landing.startswith(".gatehouse/quarantine/") and landing.endswith("/" + slot["key"])
    blob = fake.client().bucket("fake-bucket").get_blob(landing)
    assert blob.download_as_bytes() == body
    assert (blob.content_type, blob.metadata) == ("image/png", {"of": "alice"})


def test_nothing_that_was_sent_was_wrongly_signed(google):
    """Last: of all that the tests above sent through Gatehouse, only what was meant to be refused was."""
    meant = {"AccessDenied", "AuthenticationRequired", "InvalidArgument", "NoSuchKey", "NoSuchUpload", "InvalidPart",
             "PreconditionFailed", "NotModified", "InvalidRange", "EntityTooLarge", "BadDigest",
             "InvalidQueryParameterValue", "SignatureDoesNotMatch", "MalformedSecurityHeader"}
    odd = [refusal for refusal in google.refusals if refusal[2] not in meant or "unknown parameters" in refusal[3]]
    assert [refusal for refusal in odd if refusal[1] != "/photos-at-google/k?acl"] == []
    unsigned = [refusal[3] for refusal in google.refusals if refusal[3].startswith("not signed")]
    assert [message for message in unsigned if message != "not signed: ['x-goog-meta-more']"] == []
