"""Header fields and forms at and beyond what S3 allows: refused with a word for it, and nothing stored.

What a store thinks of a field that Gatehouse passes on is the store's to say: there, only an error of ours is an error.
"""

import base64
import hashlib
from urllib.parse import quote

import pytest

from support.clients import presigned
from support.people import FULL, ROOT, everywhere
from support.raw import RawConnection
from test_forms import by_hand, send
from test_odd_requests import ask

MD5 = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
CRC32 = "NhCmhg=="


def absent(s3, bucket, prefix):
    return "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
@pytest.mark.parametrize("headers, codes", [
    ({"Content-MD5": "AAAA"}, ["InvalidDigest"]),
    ({"Content-MD5": MD5 + "="}, ["InvalidDigest"]),
    ({"Content-MD5": MD5[:-2] + "A="}, ["InvalidDigest"]),
    ({"Content-MD5": base64.b64encode(bytes(16)).decode()}, ["BadDigest"]),
    ({"x-amz-checksum-crc32": "AAAAAA=="}, ["BadDigest"]),
    ({"x-amz-checksum-crc32": "AAAAAA"}, ["InvalidRequest"]),
    ({"x-amz-checksum-crc32": "AAAAAAA="}, ["InvalidRequest"]),
    ({"x-amz-checksum-crc32": ""}, ["InvalidRequest"]),
    ({"x-amz-checksum-sha256": CRC32}, ["InvalidRequest"]),
    ({"x-amz-checksum-crc32": CRC32, "x-amz-checksum-crc32c": "mnG7TA=="}, ["InvalidRequest"]),
    ({"x-amz-checksum-md5": MD5}, ["NotImplemented"]),
    ({"x-amz-checksum-xxhash64": "AAAAAAAAAAA="}, ["NotImplemented"]),
    ({"x-amz-sdk-checksum-algorithm": "MD5"}, ["InvalidRequest"]),
    ({"x-amz-sdk-checksum-algorithm": "SHA256", "x-amz-checksum-crc32": CRC32}, ["InvalidRequest"]),
    ({"x-amz-trailer": "x-amz-checksum-crc32"}, ["InvalidRequest"]),
    ({"x-amz-decoded-content-length": "6"}, ["InvalidRequest"]),
    ({"x-amz-copy-source-range": "bytes=0-1"}, ["InvalidRequest", "InvalidArgument", "NotImplemented"]),
    ({"x-amz-unheard-of": "a"}, ["NotImplemented"]),
    ({"x-amz-acl": "public-read"}, ["AccessDenied", "AccessControlListNotSupported"]),
    ({"x-amz-object-lock-mode": "GOVERNANCE"}, ["AccessDenied", "NotImplemented"]),
    ({"x-amz-write-offset-bytes": "5"}, ["NotImplemented"]),
])
def test_fields_of_a_put_that_say_something_wrong(gate, s3, bucket, headers, codes):
    status, code = ask(gate, "PUT", f"/{bucket}/odd/field", headers, b"hello")
    assert code in codes, (status, code)
    assert absent(s3, bucket, "odd/field")


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
@pytest.mark.parametrize("headers", [
    {"x-amz-tagging": "a=b&a=c"}, {"x-amz-tagging": "&".join(f"k{n}=v" for n in range(11))}, {"x-amz-tagging": "a" * 129 + "=b"},
    {"x-amz-tagging": "%zz=1"}, {"x-amz-tagging": "aws:a=b"}, {"x-amz-storage-class": "BRASS"}, {"Expires": "never"},
    {"If-None-Match": '"a", "b"'}, {"If-Match": "*"}, {"If-Match": '"never"'}, {"x-amz-website-redirect-location": "x"},
    {"x-amz-meta-" + "n" * 200: "v" * 2000}, {"x-amz-meta-a": "v" * 9000}, {"x-amz-server-side-encryption": "AES1"},
    {"x-amz-server-side-encryption-customer-key": "AAAA"}, {"x-amz-expected-bucket-owner": "1"}, {"Content-Encoding": "aws-chunked"},
    {"x-amz-meta-": "v"}, {"x-amz-request-payer": "nobody"},
])
def test_fields_of_a_put_that_a_store_may_refuse(gate, bucket, headers):
    status, code = ask(gate, "PUT", f"/{bucket}/odd/may", headers, b"hello")
    assert status in (200, 400, 403, 404, 412, 431) or code == "NotImplemented", (status, code)


@pytest.mark.parametrize("headers, codes", [
    ({"x-amz-metadata-directive": "MERGE"}, ["InvalidArgument"]),
    ({"x-amz-tagging-directive": "copy"}, ["InvalidArgument"]),
    ({"x-amz-copy-source-if-match": '"never"'}, ["PreconditionFailed"]),
    ({"x-amz-copy-source-if-none-match": "{etag}"}, ["PreconditionFailed"]),
    ({"x-amz-copy-source-if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}, ["PreconditionFailed"]),
    ({"x-amz-copy-source-if-modified-since": "Mon, 01 Jan 2040 00:00:00 GMT"}, ["PreconditionFailed"]),
    ({"If-Match": '"never"'}, ["NoSuchKey", "PreconditionFailed"]),
    ({"x-amz-copy-source-range": "bytes=0-1"}, ["InvalidRequest", "InvalidArgument", "NotImplemented"]),
    ({"x-amz-checksum-algorithm": "MD5"}, ["InvalidRequest", "InvalidArgument"]),
])
@pytest.mark.parametrize("source, bucket", [("local", "photos"), ("photos", "local"), ("local", "local")])
def test_fields_of_a_copy_that_say_something_wrong(gate, s3, source, bucket, headers, codes):
    etag = s3.put_object(Bucket=source, Key="odd/source", Body=b"source")["ETag"]
    headers = {name: value.replace("{etag}", etag) for name, value in headers.items()}
    s3.delete_object(Bucket=bucket, Key="odd/made")
    status, code = ask(gate, "PUT", f"/{bucket}/odd/made", {"x-amz-copy-source": f"/{source}/odd/source", **headers})
    assert code in codes, (status, code)
    assert absent(s3, bucket, "odd/made")


@pytest.mark.parametrize("source, bucket", [("local", "photos"), ("photos", "local"), ("local", "local")])
def test_a_copy_that_must_not_replace_does_not(gate, s3, source, bucket):
    s3.put_object(Bucket=source, Key="odd/source", Body=b"source")
    s3.put_object(Bucket=bucket, Key="odd/there", Body=b"there")
    headers = {"x-amz-copy-source": f"/{source}/odd/source", "If-None-Match": "*"}
    assert ask(gate, "PUT", f"/{bucket}/odd/there", headers) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="odd/there")["Body"].read() == b"there"


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("query, codes", [
    ("X-Amz-Expires=300&X-Amz-Expires=604800", ["AuthorizationQueryParametersError", "InvalidArgument", "NotImplemented",
                                                "InvalidRequest"]),
    ("versionId=a&versionId=b", ["NotImplemented", "InvalidArgument", "SignatureDoesNotMatch"]),
    ("response-content-type=a&response-content-type=b", ["NotImplemented", "InvalidArgument", "SignatureDoesNotMatch"]),
    ("acl", ["SignatureDoesNotMatch"]), ("uploadId=x", ["SignatureDoesNotMatch"]), ("x-id=GetObject", ["SignatureDoesNotMatch"]),
])
def test_what_is_added_to_a_signed_url_is_refused(gate, s3, bucket, query, codes):
    s3.put_object(Bucket=bucket, Key="odd/url", Body=b"x")
    url = presigned("GET", f"{gate.endpoint}/{bucket}/odd/url", FULL.access_key, FULL.secret_key)
    answer = gate.request("GET", url[len(gate.endpoint):] + "&" + query)
    assert answer.status in (400, 403, 501) and answer.s3_code in codes, answer


@pytest.mark.parametrize("name, value", [
    ("x-amz-meta-a", "line\r\nset-cookie: b"), ("x-amz-meta-a", "nul\x00"), ("x-amz-meta-a b", "v"), ("x-amz-meta-a:b", "v"),
    ("Content-Type", "text/html\r\nx-amz-acl: public-read"), ("x-amz-unheard-of", "v"), ("x-amz-copy-source", "/photos/a"),
    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-decoded-content-length", "2"),
    ("x-amz-checksum-crc32", "AAAAAA=="), ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="), ("bucket", "local"),
    ("success_action_redirect", "//evil.example"), ("key", "a" * 1025), ("key", ""), ("key", "a/../b"), ("key", "a\x00b"),
    ("x-amz-storage-class", "a\r\nb"), ("x-amz-trailer", "x-amz-checksum-crc32"),
])
def test_fields_of_a_form_that_would_become_something_else(gate, s3, name, value):
    s3.delete_object(Bucket="photos", Key="odd/form")
    fields = [("key", "odd/form")] if name != "key" else []
    body = by_hand([*fields, (name, value)], b"x")
    status, code = send(gate, body, headers=ROOT.headers)
    if name in ("x-amz-content-sha256", "x-amz-copy-source") and status == 204:
        # About the transfer, which a form's is not: left out.
        assert s3.get_object(Bucket="photos", Key="odd/form")["Body"].read() == b"x"
        return
    assert status in (400, 403, 411, 501), (status, code)
    assert absent(s3, "photos", "odd/form")


PART = b'--b0und4ry\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
END = b"--b0und4ry--\r\n"


@pytest.mark.parametrize("body", [
    PART.replace(b"\r\n", b"\n") % (b"key", b"", b"odd/shape") + PART % (b"file", b'; filename="f"', b"x") + END,
    b"preamble\r\n" + PART % (b"key", b"", b"odd/shape") + PART % (b"file", b'; filename="f"', b"x") + END,
    PART % (b"file", b'; filename="f"', b"x") + PART % (b"key", b"", b"odd/shape") + END,
    PART % (b"key", b"", b"odd/shape") + END,
    PART % (b"key", b"", b"odd/shape") + PART % (b"file", b'; filename="f"', b"x"),
    PART % (b"key", b"", b"odd/shape") + PART % (b"file", b'; filename="f"', b"x") + END + b"epilogue",
    PART % (b"key", b"\r\nContent-Transfer-Encoding: base64", b"b2Rk") + PART % (b"file", b'; filename="f"', b"x") + END,
    PART % (b"key", b'; name="acl"', b"odd/shape") + PART % (b"file", b'; filename="f"', b"x") + END,
    PART % (b"key", b"\r\nContent-Disposition: form-data; name=acl", b"odd/shape") + PART % (b"file", b"", b"x") + END,
    PART % (b"key", b"\r\n folded: line", b"odd/shape") + PART % (b"file", b"", b"x") + END,
    b"".join(PART % (b"x-ignore-%d" % n, b"", b"") for n in range(101)) + PART % (b"file", b"", b"x") + END,
    PART % (b"key", b"", b"odd/" + b"${filename}" * 1500) + PART % (b"file", b'; filename="%s"' % (b"f" * 1000), b"x") + END,
    PART % (b"key", b"", b"odd/shape") + PART % (b"file", b'; filename="%s"' % (b"f" * 5000), b"x") + END,
    PART % (b"k" * 300, b"", b"odd/shape") + PART % (b"file", b"", b"x") + END,
    b"", b"--b0und4ry--\r\n", b"--b0und4ry", b"--b0und4ry\r\n" * 1000,
])
def test_forms_of_another_shape(gate, s3, body):
    answer = gate.request("POST", "/photos", {"Content-Type": "multipart/form-data; boundary=b0und4ry", **ROOT.headers}, body)
    assert answer.status == 400, answer
    assert absent(s3, "photos", "odd/shape")


@pytest.mark.parametrize("fields", [
    [("Content-Type", "multipart/form-data; boundary=b0und4ry"), ("Content-Type", "multipart/form-data; boundary=other")],
    [("Content-Type", "multipart/form-data; boundary=b0und4ry"), ("Content-Type", "text/plain")],
])
def test_a_form_with_two_types(gate, s3, fields):
    with RawConnection(gate.port) as connection:
        connection.request("POST", "/photos", [*fields, *ROOT.headers.items()], by_hand([("key", "odd/types")], b"x"))
        assert connection.answer()[0] == 400
    assert absent(s3, "photos", "odd/types")


@pytest.mark.parametrize("name", ["a:b", "a b", "a\tb", "a\r\nx-amz-acl: public-read\r\nb", "a\x01", "\u00e9", "a(b)", " "])
def test_metadata_of_a_presigned_url_reach_the_store_as_malformed_lines(gateway, stub_store, name):
    store = stub_store()
    gate = gateway({
        "accounts": [{"name": "stub", "backend_type": "s3", "buckets": ["photos"], "backend_options": {
            "endpoint": store.endpoint, "region": "us-east-1", "access_key_id": "AKBACKEND00000000000",
            "secret_access_key": "backend-secret-of-the-stub"}}],
        "credentials": [FULL.entry(everywhere())],
    })
    url = presigned(
        "PUT", f"{gate.endpoint}/photos/x?{quote('x-amz-meta-' + name, safe='')}=v", FULL.access_key, FULL.secret_key
    )
    answer = gate.request("PUT", url.removeprefix(gate.endpoint), body=b"hello")
    assert (answer.status, answer.s3_code) == (400, "InvalidArgument") and b"a name that no header can have" in answer.body
    assert [seen for seen in store.seen if seen.method == "PUT"] == []
