"""Multipart uploads, by hand and through the transfer managers of SDKs."""

import hashlib
import os
from types import SimpleNamespace

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.people import FULL, account, everywhere

MIB = 1024 * 1024


def begin(target, key, **options):
    s3 = target.client()
    return s3, s3.create_multipart_upload(Bucket=target.bucket, Key=key, **options)["UploadId"]


def put_parts(s3, target, key, upload, bodies):
    return [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket=target.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
            )["ETag"],
        }
        for number, body in enumerate(bodies, 1)
    ]


def test_three_parts_become_one_object(target):
    key, bodies = "multi/three +&.bin", [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"]
    s3, upload = begin(target, key, ContentType="application/x-multi", Metadata={"m": "1"})
    parts = put_parts(s3, target, key, upload, bodies)
    assert [part["ETag"] for part in parts] == [f'"{hashlib.md5(body).hexdigest()}"' for body in bodies]
    listed = s3.list_parts(Bucket=target.bucket, Key=key, UploadId=upload)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [
        (number, len(body)) for number, body in enumerate(bodies, 1)
    ]
    done = s3.complete_multipart_upload(
        Bucket=target.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    assert (done["Bucket"], done["Key"]) == (target.bucket, key)
    got = s3.get_object(Bucket=target.bucket, Key=key)
    assert got["Body"].read() == b"".join(bodies)
    assert got["ContentType"] == "application/x-multi" and got["Metadata"] == {"m": "1"}


def test_uploads_in_progress_are_listed_and_leave_with_abort(target):
    key = "multi/in-progress"
    s3, upload = begin(target, key)
    put_parts(s3, target, key, upload, [b"x" * 100])
    found = s3.list_multipart_uploads(Bucket=target.bucket, Prefix="multi/in-").get("Uploads", [])
    assert [(entry["Key"], entry["UploadId"]) for entry in found] == [(key, upload)]
    s3.abort_multipart_upload(Bucket=target.bucket, Key=key, UploadId=upload)
    assert not s3.list_multipart_uploads(Bucket=target.bucket, Prefix="multi/in-").get("Uploads")
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key=key)


def test_nothing_shows_before_completion(target):
    key = "multi/invisible"
    s3, upload = begin(target, key)
    put_parts(s3, target, key, upload, [b"y" * 1000])
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=target.bucket, Key=key)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert not s3.list_objects_v2(Bucket=target.bucket, Prefix=key).get("Contents")
    s3.abort_multipart_upload(Bucket=target.bucket, Key=key, UploadId=upload)


def test_unknown_upload_is_no_such_upload(target):
    s3 = target.client()
    with pytest.raises(ClientError) as error:
        s3.list_parts(Bucket=target.bucket, Key="multi/none", UploadId="0123456789abcdef0123456789abcdef")
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"


def test_completion_with_a_wrong_etag_is_refused(target):
    key = "multi/wrong-etag"
    s3, upload = begin(target, key)
    put_parts(s3, target, key, upload, [b"z" * 1000])
    wrong = [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}]
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(
            Bucket=target.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": wrong}
        )
    assert error.value.response["Error"]["Code"] == "InvalidPart"
    with pytest.raises(ClientError):
        s3.head_object(Bucket=target.bucket, Key=key)


def test_parts_may_be_copied_from_an_object(target):
    s3 = target.client()
    source = os.urandom(5 * MIB + 123)
    s3.put_object(Bucket=target.bucket, Key="multi/source", Body=source)
    s3, upload = begin(target, "multi/assembled")
    where = {"Bucket": target.bucket, "Key": "multi/assembled", "UploadId": upload}
    origin = {"Bucket": target.bucket, "Key": "multi/source"}
    whole = s3.upload_part_copy(**where, PartNumber=1, CopySource=origin)
    slice_ = s3.upload_part_copy(**where, PartNumber=2, CopySource=origin, CopySourceRange="bytes=10-109")
    parts = [
        {"PartNumber": 1, "ETag": whole["CopyPartResult"]["ETag"]},
        {"PartNumber": 2, "ETag": slice_["CopyPartResult"]["ETag"]},
    ]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=target.bucket, Key="multi/assembled")["Body"].read() == source + source[10:110]


def test_transfer_manager_up_and_down(target, tmp_path):
    s3 = target.client()
    (tmp_path / "up").write_bytes(os.urandom(23 * MIB + 17))
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.upload_file(str(tmp_path / "up"), target.bucket, "multi/transfer", Config=config)
    s3.download_file(target.bucket, "multi/transfer", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "up").read_bytes() == (tmp_path / "down").read_bytes()
    assert s3.head_object(Bucket=target.bucket, Key="multi/transfer")["ETag"].endswith('-3"')


@pytest.mark.parametrize("backend", ["store", "prefix", "file"])
def test_the_sum_of_the_parts_is_held_to_max_object_size(gateway, north, tmp_path, backend):
    bucket = {
        "store": {"account": "north", "backend_options": {"bucket_name": "docs"}},
        "prefix": {"account": "north", "backend_prefix": "sum/of", "backend_options": {"bucket_name": "shared"}},
        "file": {"backend_type": "file", "backend_options": {"path": str(tmp_path / "files")}},
    }[backend]
    (tmp_path / "files").mkdir()
    alone = gateway({
        "server": {"max_object_size": "6MiB"},
        "accounts": [account("north", north, [])],
        "buckets": [{"name": "limited", **bucket}],
        "credentials": [FULL.entry(everywhere())],
    })
    s3 = s3_client(alone.endpoint, FULL.access_key, FULL.secret_key)
    limited = SimpleNamespace(bucket="limited")

    def complete(key, bodies):
        upload = s3.create_multipart_upload(Bucket="limited", Key=key)["UploadId"]
        parts = put_parts(s3, limited, key, upload, bodies)
        return s3.complete_multipart_upload(
            Bucket="limited", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )

    complete("multi/fits", [b"a" * 5 * MIB, b"b" * MIB])
    assert s3.head_object(Bucket="limited", Key="multi/fits")["ContentLength"] == 6 * MIB
    with pytest.raises(ClientError) as error:
        complete("multi/too-large", [b"a" * 5 * MIB, b"b" * (MIB + 1)])
    answer = error.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (400, "EntityTooLarge")
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket="limited", Key="multi/too-large")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
