"""Forms with tags, and what callers without any credential may put where a policy document lets them."""

import hashlib
import json

import pytest

from support.chunked import SIGNED, UNSIGNED_TRAILER, ChunkedPut, crc32
from support.clients import s3_client
from support.gatehouse import Gatehouse, eventually
from support.people import FULL, account, within
from test_forms import by_hand, form, post, send, signer

DROP_BOX = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": "arn:aws:s3:::photos/inbox/*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/inbox/closed/*"},
    ],
}
TAGS = "<Tagging><TagSet><Tag><Key>team</Key><Value>a+b ü</Value></Tag><Tag><Key>n</Key><Value/></Tag></TagSet></Tagging>"
NO_TAGS = [
    "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "<TagSet/>", "team=blue", "<Tagging>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging><TagSet><Tag><Key>&b;</Key><Value/></Tag></TagSet></Tagging>",
    "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key></Tag></TagSet></Tagging>",
]


@pytest.fixture(scope="module")
def drop_box(tmp_path_factory, north):
    """A gateway where nobody in particular may put below inbox/, and read nothing."""
    folder = tmp_path_factory.mktemp("drop-box")
    (folder / "drop.json").write_text(json.dumps(DROP_BOX))
    (folder / "files").mkdir()
    gateway = Gatehouse(folder, {
        "accounts": [account("north", north, ["photos"])],
        "buckets": [
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}},
            {"name": "readable", "account": "north", "anonymous_access": True,
             "backend_options": {"bucket_name": "open-data"}},
        ],
        "credentials": [FULL.entry([within("*", [], "*"), within("photos", [], "put_object_tagging")])],
        "policies": [{"name": "drop", "applies_to": ["anonymous"], "document": "file:drop.json"}],
    }).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("version", ["s3v4", None], ids=["v4", "v2"])
@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_tags_of_a_form(drop_box, bucket, version):
    s3 = s3_client(drop_box.endpoint, FULL.access_key, FULL.secret_key)
    # SeaweedFS takes no sign in a tag that S3 does not take.
    tags = TAGS if bucket == "local" else TAGS.replace(" ü", "")
    signed = form(signer(drop_box.endpoint, version=version), bucket, "forms/tagged", [{"tagging": tags}], {"tagging": tags})
    assert post(signed["url"], signed["fields"])[0] == 204
    found = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="forms/tagged")["TagSet"]}
    assert found == {"team": "a+b ü" if bucket == "local" else "a+b", "n": ""}


@pytest.mark.parametrize("tags", NO_TAGS)
def test_tags_that_are_none_store_nothing(drop_box, north_s3, tags):
    signed = form(signer(drop_box.endpoint), "photos", "forms/untagged", [{"tagging": tags}], {"tagging": tags})
    status, _, body = post(signed["url"], signed["fields"])
    assert status == 400 and b"<Code>MalformedXML</Code>" in body
    assert "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix="forms/untagged")


def test_tags_need_the_right_to_tag(gateway, north, north_s3):
    gate = gateway({
        "accounts": [account("north", north, ["photos"])],
        "credentials": [FULL.entry([within("photos", ["forms/"], "put_object")])],
    })
    signed = form(signer(gate.endpoint), "photos", "forms/not-to-be-tagged", [{"tagging": TAGS}], {"tagging": TAGS})
    assert post(signed["url"], signed["fields"])[0] == 403
    assert "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix="forms/not-to-be-tagged")


# Nobody in particular


@pytest.mark.parametrize("size", [0, 9, 200_000])
def test_a_form_that_nobody_signed_where_everybody_may_put(drop_box, north_s3, size):
    body = b"z" * size
    fields = {"key": "inbox/form-${filename}", "Content-Type": "text/plain", "success_action_status": "201",
              "x-amz-meta-from": "somebody"}
    status, headers, answer = post(f"{drop_box.endpoint}/photos", fields, body, filename=f"{size}.txt")
    assert status == 201 and f"<Key>inbox/form-{size}.txt</Key>".encode() in answer
    assert headers["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    stored = north_s3.get_object(Bucket="photos", Key=f"inbox/form-{size}.txt")
    assert (stored["Body"].read(), stored["ContentType"], stored["Metadata"]) == (body, "text/plain", {"from": "somebody"})
    lines = lambda: [line for line in drop_box.audit_log() if line.get("key") == f"inbox/form-{size}.txt"]
    [line] = eventually(lines)
    assert line["who"] == "anonymous" and line["action"] == "post_object"


@pytest.mark.parametrize("fields, status", [
    ({"key": "outbox/a"}, 403),
    ({"key": "inbox/closed/a"}, 403),
    ({"key": "inbox/../outbox/a"}, 400),
    ({"key": "inbox/a", "acl": "public-read"}, 403),
    ({"key": "inbox/a", "tagging": TAGS}, 403),
    ({"key": "inbox/a", "x-amz-object-lock-legal-hold": "ON"}, 403),
    # A policy that nobody signed binds nobody: it is refused, and not passed over.
    ({"key": "inbox/a", "policy": "e30="}, 400),
    ({"key": "inbox/a", "x-amz-credential": "a/20260101/us-east-1/s3/aws4_request"}, 400),
    ({"key": "inbox/a", "AWSAccessKeyId": FULL.access_key}, 400),
    ({"key": "inbox/a", "x-amz-security-token": "t"}, 400),
])
def test_a_guest_may_no_more_than_its_policy_says(drop_box, north_s3, fields, status):
    got, _, body = post(f"{drop_box.endpoint}/photos", fields)
    assert got == status, body
    for prefix in ("outbox/", "inbox/closed/", "inbox/a"):
        assert "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix=prefix)


@pytest.mark.parametrize("bucket", ["readable", "local"])
def test_a_guest_may_nothing_where_no_policy_says_so(drop_box, bucket):
    assert post(f"{drop_box.endpoint}/{bucket}", {"key": "inbox/a"})[0] == 403
    assert drop_box.request("PUT", f"/{bucket}/inbox/a", {}, b"x").status == 403


def test_a_guest_puts_and_reads_nothing(drop_box, north_s3):
    answer = drop_box.request("PUT", "/photos/inbox/plain", {"Content-Type": "text/plain"}, b"given")
    assert answer.status == 200 and answer.headers["etag"] == f'"{hashlib.md5(b"given").hexdigest()}"'
    assert north_s3.get_object(Bucket="photos", Key="inbox/plain")["Body"].read() == b"given"
    for method, path in (("GET", "/photos/inbox/plain"), ("DELETE", "/photos/inbox/plain"), ("GET", "/photos"),
                         ("PUT", "/photos/inbox/plain?tagging"), ("PUT", "/photos/inbox/closed/a"), ("PUT", "/photos/a")):
        assert drop_box.request(method, path, {}, b"" if method == "PUT" else None).status == 403, (method, path)


def test_a_guest_sends_chunks_that_only_a_checksum_holds_together(drop_box, north_s3):
    data = b"chunks" * 20_000
    chunked = ChunkedPut(drop_box.endpoint, "/photos/inbox/chunks", data, UNSIGNED_TRAILER, None, None)
    answer = chunked.send(drop_box)
    assert answer.status == 200 and answer.headers["x-amz-checksum-crc32"] == crc32(data)
    assert north_s3.get_object(Bucket="photos", Key="inbox/chunks")["Body"].read() == data
    chunked.path, chunked.trailer_value = "/photos/inbox/chunks-bad", crc32(b"else")
    assert chunked.send(drop_box).s3_code == "BadDigest"
    # Nobody can have signed these.
    signed = ChunkedPut(drop_box.endpoint, "/photos/inbox/chunks-bad", data, UNSIGNED_TRAILER, None, None)
    signed.headers["x-amz-content-sha256"] = SIGNED
    assert signed.send(drop_box).status == 400
    assert "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix="inbox/chunks-bad")


def test_a_field_given_twice_is_refused(drop_box, north_s3):
    for fields in ([("key", "inbox/one"), ("key", "inbox/two")], [("key", "inbox/one"), ("Key", "inbox/one")],
                   [("key", "inbox/one"), ("acl", "private"), ("ACL", "private")]):
        assert send(drop_box, by_hand(fields, b"x")) == (400, "InvalidArgument")
    two_files = by_hand([("key", "inbox/one")], b"first", ending=(
        b'\r\n--b0und4ry\r\nContent-Disposition: form-data; name="file"; filename="g"\r\n\r\nsecond\r\n--b0und4ry--\r\n'))
    assert send(drop_box, two_files) == (400, "MalformedPOSTRequest")
    assert "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix="inbox/one")


@pytest.mark.parametrize("content_type", [
    "multipart/form-data; boundary=b0und4ry; boundary=b0und4ry", "multipart/form-data; boundary=b0und4ry; BOUNDARY=other",
    "multipart/form-data; boundary=", 'multipart/form-data; boundary="b0und4ry', "multipart/form-data",
    "multipart/form-data; boundary=" + "b" * 71, "multipart/form-data; boundary=b0und4ry extra",
])
def test_a_boundary_that_is_none_or_two(drop_box, content_type):
    answer = drop_box.request("POST", "/photos", {"Content-Type": content_type}, by_hand([("key", "inbox/b")], b"x"))
    assert (answer.status, answer.s3_code) == (400, "MalformedPOSTRequest")
