"""Objects: what goes in comes out, on every kind of bucket."""

import datetime
import hashlib
import os

import pytest
import urllib3
from botocore.exceptions import ClientError

from support.clients import signed
from support.nasty_keys import NASTY_KEYS, seaweedfs_keeps


def code_of(error):
    return error.value.response["Error"]["Code"]


def status_of(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_object_comes_back_byte_for_byte_with_its_headers(target):
    s3, body = target.client(), os.urandom(70_001)
    put = s3.put_object(
        Bucket=target.bucket, Key="objects/full.bin", Body=body, ContentType="image/x-test",
        CacheControl="max-age=60", ContentDisposition='attachment; filename="ü.bin"', ContentLanguage="de",
        Metadata={"colour": "blue", "empty-ish": "x"},
    )
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=target.bucket, Key="objects/full.bin")
    assert got["Body"].read() == body
    assert got["ETag"] == put["ETag"]
    assert got["ContentType"] == "image/x-test"
    assert got["CacheControl"] == "max-age=60"
    assert got["ContentLanguage"] == "de"
    assert got["Metadata"] == {"colour": "blue", "empty-ish": "x"}
    head = s3.head_object(Bucket=target.bucket, Key="objects/full.bin")
    assert head["ContentLength"] == len(body)
    assert head["ETag"] == put["ETag"]
    assert head["Metadata"] == {"colour": "blue", "empty-ish": "x"}


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 65_536, 1_048_577, 9_000_000])
def test_every_size_passes_whole(target, size):
    s3, key, body = target.client(), f"objects/size-{size}", os.urandom(size)
    s3.put_object(Bucket=target.bucket, Key=key, Body=body)
    got = s3.get_object(Bucket=target.bucket, Key=key)
    assert got["ContentLength"] == size
    assert hashlib.sha256(got["Body"].read()).digest() == hashlib.sha256(body).digest()


def test_overwriting_replaces_the_whole_object(target):
    s3 = target.client()
    s3.put_object(Bucket=target.bucket, Key="objects/twice", Body=b"first version", Metadata={"v": "1"})
    s3.put_object(Bucket=target.bucket, Key="objects/twice", Body=b"2nd", Metadata={"v": "2"})
    got = s3.get_object(Bucket=target.bucket, Key="objects/twice")
    assert (got["Body"].read(), got["Metadata"]) == (b"2nd", {"v": "2"})


def test_missing_object_is_no_such_key_for_get_and_bare_404_for_head(target):
    s3 = target.client()
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=target.bucket, Key="objects/none")
    assert (status_of(error), code_of(error)) == (404, "NoSuchKey")
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=target.bucket, Key="objects/none")
    assert status_of(error) == 404


@pytest.mark.parametrize(
    "asked, first, last",
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=90-", 90, 99), ("bytes=-7", 93, 99),
     ("bytes=95-400", 95, 99), ("bytes=-400", 0, 99)],
)
def test_ranges(target, asked, first, last):
    s3, body = target.client(), bytes(range(100))
    s3.put_object(Bucket=target.bucket, Key="objects/range", Body=body)
    got = s3.get_object(Bucket=target.bucket, Key="objects/range", Range=asked)
    assert got["Body"].read() == body[first:last + 1]
    assert got["ContentRange"] == f"bytes {first}-{last}/100"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_range_outside_the_object_is_416(target):
    s3 = target.client()
    s3.put_object(Bucket=target.bucket, Key="objects/short", Body=b"0123456789")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=target.bucket, Key="objects/short", Range="bytes=10-20")
    assert (status_of(error), code_of(error)) == (416, "InvalidRange")


@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_a_range_of_the_object_as_it_was_known(target, verb):
    """If-Range: the range where the object is still that one, else the whole. And a HEAD tells what a GET would."""
    if target.name != "embedded":
        pytest.skip("SeaweedFS reads neither If-Range nor the Range of a HEAD; that both reach stores is shown in test_transport")
    etag = target.client().put_object(Bucket=target.bucket, Key="objects/known", Body=b"0123456789")["ETag"]
    url = f"{target.endpoint}/{target.bucket}/objects/known"
    for condition, status, length in ((etag, 206, 4), ('"another"', 200, 10)):
        headers = signed(verb, url, target.access_key, target.secret_key, {"Range": "bytes=2-5", "If-Range": condition})
        answer = urllib3.request(verb, url, headers=headers)
        assert (answer.status, answer.headers["Content-Length"]) == (status, str(length)), (verb, condition)
        if verb == "GET":
            assert answer.data == (b"2345" if status == 206 else b"0123456789")


def test_range_in_the_middle_of_a_large_object(target):
    s3, body = target.client(), os.urandom(6_000_000)
    s3.put_object(Bucket=target.bucket, Key="objects/large-range", Body=body)
    got = s3.get_object(Bucket=target.bucket, Key="objects/large-range", Range="bytes=1000000-5000000")
    assert got["Body"].read() == body[1_000_000:5_000_001]


def test_conditional_reads(target):
    s3 = target.client()
    etag = s3.put_object(Bucket=target.bucket, Key="objects/if", Body=b"conditional")["ETag"]
    where = {"Bucket": target.bucket, "Key": "objects/if"}
    long_ago = datetime.datetime(2001, 1, 1)
    assert s3.get_object(**where, IfMatch=etag)["Body"].read() == b"conditional"
    assert s3.get_object(**where, IfNoneMatch='"0"')["Body"].read() == b"conditional"
    assert s3.get_object(**where, IfModifiedSince=long_ago)["Body"].read() == b"conditional"
    for condition, expected in [
        ({"IfMatch": '"0"'}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfUnmodifiedSince": long_ago}, 412),
    ]:
        try:
            status = s3.get_object(**where, **condition)["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == expected, condition


def test_create_only_write_does_not_replace(target):
    s3 = target.client()
    s3.delete_object(Bucket=target.bucket, Key="objects/once")
    s3.put_object(Bucket=target.bucket, Key="objects/once", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=target.bucket, Key="objects/once", Body=b"second", IfNoneMatch="*")
    assert (status_of(error), code_of(error)) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=target.bucket, Key="objects/once")["Body"].read() == b"first"


def test_delete_is_idempotent(target):
    s3 = target.client()
    s3.put_object(Bucket=target.bucket, Key="objects/gone", Body=b"x")
    for _ in range(2):
        assert s3.delete_object(Bucket=target.bucket, Key="objects/gone")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key="objects/gone")


def test_batch_delete_reports_each_key(target):
    s3 = target.client()
    keys = [f"batch/{n} & <{n}>" for n in range(12)]
    for key in keys:
        s3.put_object(Bucket=target.bucket, Key=key, Body=b"x")
    objects = [{"Key": key} for key in keys[:10]] + [{"Key": "batch/never-there"}]
    answer = s3.delete_objects(Bucket=target.bucket, Delete={"Objects": objects})
    assert {entry["Key"] for entry in answer["Deleted"]} == {entry["Key"] for entry in objects}
    quiet = s3.delete_objects(Bucket=target.bucket, Delete={"Objects": [{"Key": keys[10]}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    left = s3.list_objects_v2(Bucket=target.bucket, Prefix="batch/")
    assert [entry["Key"] for entry in left["Contents"]] == [keys[11]]


def test_copy_inside_a_bucket_keeps_or_replaces_metadata(target):
    s3 = target.client()
    source = "copy/source +&ü.txt"
    s3.put_object(Bucket=target.bucket, Key=source, Body=b"copied", Metadata={"a": "1"}, ContentType="text/x-a")
    answer = s3.copy_object(
        Bucket=target.bucket, Key="copy/kept", CopySource={"Bucket": target.bucket, "Key": source}
    )
    assert answer["CopyObjectResult"]["ETag"].strip('"') == hashlib.md5(b"copied").hexdigest()
    kept = s3.get_object(Bucket=target.bucket, Key="copy/kept")
    assert (kept["Body"].read(), kept["Metadata"], kept["ContentType"]) == (b"copied", {"a": "1"}, "text/x-a")
    s3.copy_object(
        Bucket=target.bucket, Key="copy/replaced", CopySource={"Bucket": target.bucket, "Key": source},
        MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/x-b",
    )
    replaced = s3.head_object(Bucket=target.bucket, Key="copy/replaced")
    assert (replaced["Metadata"], replaced["ContentType"]) == ({"b": "2"}, "text/x-b")


def test_copy_of_a_missing_source_is_no_such_key(target):
    s3 = target.client()
    with pytest.raises(ClientError) as error:
        s3.copy_object(
            Bucket=target.bucket, Key="copy/never", CopySource={"Bucket": target.bucket, "Key": "copy/not-there"}
        )
    assert status_of(error) == 404
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key="copy/never")


def test_default_checksum_of_the_sdk_is_carried(target):
    s3 = target.client(checksums="when_supported")
    s3.put_object(Bucket=target.bucket, Key="objects/checksummed", Body=b"checked by the sdk")
    assert s3.get_object(Bucket=target.bucket, Key="objects/checksummed")["Body"].read() == b"checked by the sdk"


def test_response_header_overrides(target):
    s3 = target.client()
    s3.put_object(Bucket=target.bucket, Key="objects/override", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket=target.bucket, Key="objects/override", ResponseContentType="application/x-other",
        ResponseContentDisposition='attachment; filename="a+b c.txt"',
    )
    assert got["ContentType"] == "application/x-other"
    assert got["ContentDisposition"] == 'attachment; filename="a+b c.txt"'


def test_body_that_differs_from_content_md5_is_refused(target):
    s3 = target.client()
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=target.bucket, Key="objects/bad-md5", Body=b"abc", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert status_of(error) == 400
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key="objects/bad-md5")


@pytest.mark.parametrize("key", NASTY_KEYS, ids=lambda key: ascii(key)[:40])
def test_nasty_keys_are_byte_faithful(target, key):
    if target.name != "embedded" and not seaweedfs_keeps(key):
        pytest.skip("SeaweedFS turns this key into another")
    s3, name, prefix = target.client(), "nasty/" + key, "nasty/"
    if len(name.encode()) > 1000:
        if target.name == "prefixed":
            pytest.skip("the longest key there may be, and the backend's prefix before it")
        name, prefix = key, key[:10]
    body = key.encode()
    s3.put_object(Bucket=target.bucket, Key=name, Body=body)
    try:
        assert s3.get_object(Bucket=target.bucket, Key=name)["Body"].read() == body
        listed = s3.list_objects_v2(Bucket=target.bucket, Prefix=prefix)
        assert name in [entry["Key"] for entry in listed["Contents"]]
    finally:
        s3.delete_object(Bucket=target.bucket, Key=name)
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key=name)
