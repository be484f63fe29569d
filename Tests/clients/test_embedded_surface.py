"""What the store in a folder has beyond the core, seen by boto3 through Gatehouse; with --oracle, the same at SeaweedFS."""

import base64
import hashlib
import itertools
import zlib

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.gatehouse import Gatehouse
from support.people import FULL, everywhere

names = (f"surface-{number}" for number in itertools.count())

CONFIGURE = ["*", "configure"] + [f"{verb}_object_{what}" for verb in ("get", "put") for what in ("acl", "version_acl")]


@pytest.fixture(scope="module")
def folder_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surface")
    options = {"path": str(folder / "files")}
    gateway = Gatehouse(folder, {
        "buckets": [
            {"name": f"surface-{number}", "backend_type": "file", "backend_options": options} for number in range(20)
        ],
        "credentials": [FULL.entry(everywhere(*CONFIGURE))],
    }).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def client(request):
    if request.config.getoption("--oracle"):
        store = request.getfixturevalue("north")
        return s3_client(store.endpoint, store.access_key, store.secret_key)
    gateway = request.getfixturevalue("folder_store")
    return s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)


@pytest.fixture
def bucket(request, client):
    """A bucket of the test's own."""
    name = next(names)
    if request.config.getoption("--oracle"):
        client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def is_oracle(request):
    return request.config.getoption("--oracle")


def set_versioning(client, bucket, status):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == status


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]


def versions(client, bucket, **options):
    """(key, id, latest, marker), over all pages."""
    found = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, **options):
        found += [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in page.get("Versions", [])]
        found += [(m["Key"], m["VersionId"], m["IsLatest"], True) for m in page.get("DeleteMarkers", [])]
    return found


def test_versions_are_kept_hidden_and_brought_back(client, bucket, is_oracle):
    client.put_object(Bucket=bucket, Key="k", Body=b"before")
    set_versioning(client, bucket, "Enabled")
    ids = [client.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"one", b"two")]
    assert len(set(ids)) == 2
    for identifier, body in zip([*ids, "null"], (b"one", b"two", b"before")):
        got = client.get_object(Bucket=bucket, Key="k", VersionId=identifier)
        assert (got["Body"].read(), got["VersionId"]) == (body, identifier)
    gone = client.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] is True
    assert code(client.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    status, _ = code(client.get_object, Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    assert status == (404 if is_oracle else 405)  # SeaweedFS finds nothing; S3 says that it is no object
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert sorted(versions(client, bucket)) == sorted([
        ("k", gone["VersionId"], True, True), ("k", ids[1], False, False), ("k", ids[0], False, False),
        ("k", "null", False, False),
    ])
    client.delete_object(Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"
    client.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": ids[0]})
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"


def test_a_suspended_bucket_overwrites_its_null_version(client, bucket):
    set_versioning(client, bucket, "Enabled")
    named = client.put_object(Bucket=bucket, Key="k", Body=b"named")["VersionId"]
    set_versioning(client, bucket, "Suspended")
    for body in (b"a", b"b"):
        client.put_object(Bucket=bucket, Key="k", Body=body)
    assert sorted(versions(client, bucket)) == sorted([("k", "null", True, False), ("k", named, False, False)])
    client.delete_object(Bucket=bucket, Key="k")
    assert sorted(versions(client, bucket)) == sorted([("k", "null", True, True), ("k", named, False, False)])


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_of_versions(client, bucket, size):
    set_versioning(client, bucket, "Enabled")
    for key in ("a", "b/1", "b/2", "c"):
        for body in (b"1", b"2", b"3"):
            client.put_object(Bucket=bucket, Key=key, Body=body)
    client.delete_object(Bucket=bucket, Key="b/2")
    found = versions(client, bucket, PaginationConfig={"PageSize": size})
    assert len(found) == 13 == len(set(found))
    assert sum(latest for _, _, latest, _ in found) == 4
    prefixes = set()
    for page in client.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
    ):
        prefixes |= {entry["Prefix"] for entry in page.get("CommonPrefixes", [])}
    assert prefixes == {"b/"}


def test_versions_deleted_at_once(client, bucket):
    set_versioning(client, bucket, "Enabled")
    for key in ("a", "b"):
        for body in (b"1", b"2"):
            client.put_object(Bucket=bucket, Key=key, Body=body)
    client.delete_object(Bucket=bucket, Key="a")
    everything = [{"Key": key, "VersionId": version} for key, version, _, _ in versions(client, bucket)]
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": everything})
    assert len(answer["Deleted"]) == 5 and "Errors" not in answer
    assert versions(client, bucket) == []


def test_an_upload_in_parts_makes_a_version(client, bucket):
    set_versioning(client, bucket, "Enabled")
    first = client.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", Tagging="a=b")["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"part")
    client.complete_multipart_upload(
        Bucket=bucket, Key="k", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, **{n: v for n, v in part.items() if n == "ETag" or n.startswith("Checksum")}}]},
    )
    head = client.head_object(Bucket=bucket, Key="k")
    assert head["VersionId"] != first and head["ContentLength"] == 4
    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]


def test_tags_of_objects(client, bucket, is_oracle):
    tags = [{"Key": "team", "Value": "a+b c"}, {"Key": "é", "Value": ""}]
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=a%2Bb%20c&%C3%A9=")
    by_key = lambda found: sorted(found, key=lambda tag: tag["Key"])
    assert by_key(client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]) == tags
    assert client.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k")
    assert by_key(client.get_object_tagging(Bucket=bucket, Key="c")["TagSet"]) == tags
    client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k", TaggingDirective="REPLACE", Tagging="n=1")
    assert client.get_object_tagging(Bucket=bucket, Key="c")["TagSet"] == [{"Key": "n", "Value": "1"}]
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "new", "Value": "1"}]})
    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "new", "Value": "1"}]
    client.delete_object_tagging(Bucket=bucket, Key="k")
    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    eleven = {"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]}
    assert code(client.put_object_tagging, Bucket=bucket, Key="k", Tagging=eleven)[0] == 400
    if is_oracle:
        return  # SeaweedFS keeps the last of two
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    assert code(client.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice)[0] == 400


CHECKSUMS = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "SHA1": lambda body: hashlib.sha1(body).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_checksums_are_kept_and_given_back(client, bucket, algorithm, is_oracle):
    body = b"some bytes" * 1000
    expected = base64.b64encode(CHECKSUMS[algorithm](body)).decode()
    field = "Checksum" + algorithm
    put = client.put_object(Bucket=bucket, Key="k", Body=body, **{field: expected})
    got = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    if not is_oracle:
        assert put[field] == expected == got[field]
        attributes = client.get_object_attributes(
            Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectSize", "ETag"]
        )
        assert attributes["Checksum"] == {field: expected, "ChecksumType": "FULL_OBJECT"}
        assert attributes["ObjectSize"] == len(body)
    wrong = base64.b64encode(CHECKSUMS[algorithm](b"other")).decode()
    status, name = code(client.put_object, Bucket=bucket, Key="w", Body=body, **{field: wrong})
    assert (status, name) == (400, "BadDigest")
    assert code(client.head_object, Bucket=bucket, Key="w")[0] == 404


def test_rules_for_other_origins(client, bucket, folder_store, is_oracle):
    rules = {"CORSRules": [{
        "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60,
    }]}
    assert code(client.get_bucket_cors, Bucket=bucket) == (404, "NoSuchCORSConfiguration")
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
    assert client.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules["CORSRules"]
    client.delete_bucket_cors(Bucket=bucket)
    assert code(client.get_bucket_cors, Bucket=bucket)[0] == 404


def test_access_control_is_the_owners(client, bucket, is_oracle):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert client.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Permission"] == "FULL_CONTROL"
    client.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    if not is_oracle:
        refused = code(client.put_object_acl, Bucket=bucket, Key="k", ACL="public-read")
        assert refused == (400, "AccessControlListNotSupported")


def test_a_second_start_finds_the_versions(client, bucket, request, is_oracle):
    if is_oracle:
        pytest.skip("is about the store in a folder")
    set_versioning(client, bucket, "Enabled")
    ids = [client.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"one", b"two")]
    client.put_object_tagging(Bucket=bucket, Key="k", VersionId=ids[0], Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    gateway = request.getfixturevalue("folder_store")
    gateway.process.kill()
    gateway.start()
    assert client.get_object(Bucket=bucket, Key="k", VersionId=ids[0])["Body"].read() == b"one"
    assert client.get_object_tagging(Bucket=bucket, Key="k", VersionId=ids[0])["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert client.get_object_tagging(Bucket=bucket, Key="k", VersionId=ids[1])["TagSet"] == []
