"""Copies between stores that can't reach each other: carried by the gateway, in every direction."""

import hashlib
import json
import os
import socket
import struct
import threading
import time

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from support.clients import CommandLine, s3_client
from support.gatehouse import eventually
from support.people import FULL, READER, account, everywhere
from support.raw import RawConnection
from support.stub_store import RESET, response, s3_error

KIB = 1024
MIB = 1024 * 1024


class Behind:
    """A fault proxy that looks like the store behind it."""

    def __init__(self, proxy, store):
        self.endpoint, self.access_key, self.secret_key = proxy.endpoint, store.access_key, store.secret_key


@pytest.fixture(scope="module")
def between(tmp_path_factory, north, south):
    """A gateway over two accounts and the embedded store, for large objects too."""
    from support.gatehouse import Gatehouse

    folder = tmp_path_factory.mktemp("between")
    files = folder / "files"
    files.mkdir()
    gateway = Gatehouse(folder, config(north, south, files)).start()
    yield gateway
    gateway.stop()


def config(north, south, files=None, **options):
    buckets = [
        {"name": "behind", "account": "north", "backend_prefix": "v2/copies",
         "backend_options": {"bucket_name": "shared"}},
    ]
    if files:
        buckets.append({"name": "local", "backend_type": "file", "backend_options": {"path": str(files)}})
    return {
        "accounts": [
            account("north", north, ["photos", "docs"], **options),
            account("south", south, ["logs"], **options),
        ],
        "buckets": buckets,
        "credentials": [
            FULL.entry(everywhere()),
            READER.entry(everywhere("read", "list")),
        ],
    }


def client_of(gateway, who=FULL, **options):
    return s3_client(gateway.endpoint, who.access_key, who.secret_key, **options)


@pytest.fixture(scope="module")
def any_s3(between):
    return client_of(between)


WAYS = [("photos", "logs"), ("logs", "photos"), ("photos", "local"), ("local", "logs"), ("behind", "logs"),
        ("logs", "behind")]


@pytest.mark.parametrize("source, destination", WAYS)
@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1])
def test_copy_object_carries_every_byte(any_s3, source, destination, size):
    body = os.urandom(size)
    any_s3.put_object(
        Bucket=source, Key="copies/from +ü", Body=body, Metadata={"who": "me"}, ContentType="text/x-special",
        CacheControl="max-age=60", ContentDisposition='attachment; filename="a.txt"', ContentLanguage="de",
    )
    answer = any_s3.copy_object(
        Bucket=destination, Key="copies/to %41/+", CopySource={"Bucket": source, "Key": "copies/from +ü"}
    )
    copied = any_s3.get_object(Bucket=destination, Key="copies/to %41/+")
    assert copied["Body"].read() == body
    assert copied["ETag"] == answer["CopyObjectResult"]["ETag"]
    assert answer["CopyObjectResult"]["LastModified"]
    assert copied["Metadata"] == {"who": "me"}
    assert (copied["ContentType"], copied["CacheControl"]) == ("text/x-special", "max-age=60")
    assert (copied["ContentDisposition"], copied["ContentLanguage"]) == ('attachment; filename="a.txt"', "de")


@pytest.mark.parametrize("source, destination", [("photos", "logs"), ("local", "photos"), ("photos", "local")])
def test_metadata_can_be_replaced(any_s3, source, destination):
    any_s3.put_object(Bucket=source, Key="copies/plain", Body=b"x", Metadata={"old": "1"}, ContentType="text/old")
    any_s3.copy_object(
        Bucket=destination, Key="copies/replaced", CopySource={"Bucket": source, "Key": "copies/plain"},
        MetadataDirective="REPLACE", Metadata={"new": "2"}, ContentType="text/new",
    )
    copied = any_s3.head_object(Bucket=destination, Key="copies/replaced")
    assert (copied["Metadata"], copied["ContentType"]) == ({"new": "2"}, "text/new")


def test_tags_go_along_or_are_replaced(any_s3, south_s3):
    any_s3.put_object(Bucket="photos", Key="copies/tagged", Body=b"x", Tagging="team=a%26b&stage=one")
    source = {"Bucket": "photos", "Key": "copies/tagged"}
    any_s3.copy_object(Bucket="logs", Key="copies/tagged", CopySource=source)
    kept = south_s3.get_object_tagging(Bucket="logs", Key="copies/tagged")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in kept) == [("stage", "one"), ("team", "a&b")]
    any_s3.copy_object(
        Bucket="logs", Key="copies/retagged", CopySource=source, TaggingDirective="REPLACE", Tagging="other=2"
    )
    replaced = south_s3.get_object_tagging(Bucket="logs", Key="copies/retagged")["TagSet"]
    assert [(tag["Key"], tag["Value"]) for tag in replaced] == [("other", "2")]


@pytest.mark.parametrize("source, destination", WAYS)
def test_parts_and_ranges_are_copied(any_s3, source, destination):
    body = os.urandom(6 * MIB)
    any_s3.put_object(Bucket=source, Key="copies/parts", Body=body)
    origin = {"Bucket": source, "Key": "copies/parts"}
    where = {"Bucket": destination, "Key": "copies/assembled"}
    where["UploadId"] = any_s3.create_multipart_upload(**where)["UploadId"]
    first = any_s3.upload_part_copy(**where, PartNumber=1, CopySource=origin)
    second = any_s3.upload_part_copy(**where, PartNumber=2, CopySource=origin, CopySourceRange="bytes=100-1099")
    parts = [
        {"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]} for number, part in ((1, first), (2, second))
    ]
    any_s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert any_s3.get_object(Bucket=destination, Key="copies/assembled")["Body"].read() == body + body[100:1100]


@pytest.mark.parametrize("range_", ["bytes=0-", "bytes=-5", "0-5", "bytes=5-4", "bytes=0-10,20-30", "bytes=0-99999999"])
def test_ranges_of_parts_are_strict(any_s3, range_):
    any_s3.put_object(Bucket="photos", Key="copies/short", Body=b"0123456789")
    where = {"Bucket": "logs", "Key": "copies/never"}
    where["UploadId"] = any_s3.create_multipart_upload(**where)["UploadId"]
    with pytest.raises(ClientError) as error:
        any_s3.upload_part_copy(
            **where, PartNumber=1, CopySource={"Bucket": "photos", "Key": "copies/short"}, CopySourceRange=range_
        )
    assert error.value.response["Error"]["Code"] in ("InvalidArgument", "InvalidRange")
    assert any_s3.list_parts(**where).get("Parts", []) == []
    any_s3.abort_multipart_upload(**where)


@pytest.mark.parametrize("source, destination", [("photos", "logs"), ("local", "photos"), ("photos", "local")])
def test_managed_copies_in_parts(any_s3, source, destination):
    body = os.urandom(17 * MIB)
    any_s3.put_object(Bucket=source, Key="copies/managed", Body=body)
    any_s3.copy(
        {"Bucket": source, "Key": "copies/managed"}, destination, "copies/managed-to",
        Config=TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB),
    )
    assert any_s3.get_object(Bucket=destination, Key="copies/managed-to")["Body"].read() == body


@pytest.mark.parametrize("source, destination", [("photos", "logs"), ("logs", "local")])
def test_aws_cli_copies_between_stores(between, any_s3, tmp_path, source, destination):
    body = os.urandom(9 * MIB)
    any_s3.put_object(Bucket=source, Key="copies/cli", Body=body)
    command_line = CommandLine(between.endpoint, FULL.access_key, FULL.secret_key, tmp_path)
    done = command_line.aws("s3", "cp", f"s3://{source}/copies/cli", f"s3://{destination}/copies/cli-to")
    assert done.returncode == 0, done.stderr
    assert any_s3.get_object(Bucket=destination, Key="copies/cli-to")["Body"].read() == body


@pytest.mark.parametrize("source, destination", [("photos", "logs"), ("photos", "local")])
def test_large_objects_are_copied_in_parts_with_bounded_memory(between, any_s3, source, destination):
    body = os.urandom(MIB) * 130 + b"end"
    any_s3.upload_fileobj(__import__("io").BytesIO(body), source, "copies/large")
    any_s3.copy_object(Bucket=destination, Key="warm-up", CopySource={"Bucket": source, "Key": "copies/large"})
    before = between.process.resident_bytes()
    highest = []
    done = threading.Event()

    def watch():
        while not done.wait(0.02):
            highest.append(between.process.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        any_s3.copy_object(
            Bucket=destination, Key="copies/large-to", CopySource={"Bucket": source, "Key": "copies/large"}
        )
    finally:
        done.set()
        watcher.join()
    copied = any_s3.get_object(Bucket=destination, Key="copies/large-to")
    assert copied["ETag"].strip('"').endswith("-3")
    assert hashlib.sha256(copied["Body"].read()).digest() == hashlib.sha256(body).digest()
    assert max(highest) - before < 24 * MIB
