"""The `azure` backend: S3's clients in front, a store behind that believes nothing but Azure's own signatures."""

import hashlib
import io
import json
import socket
import uuid

import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from support.azure_blob import ACCOUNT, KEY, AzureBlob
from support.clients import s3_client
from support.gatehouse import Gatehouse
from support.nasty_keys import NASTY_KEYS
from support.people import ALICE, FULL, everywhere
from support.ports import free_port
from support.raw import RawConnection
from support.slots import complete, issue, put, use

MIB = 1 << 20
BUCKETS = ["pictures", "behind"]


@pytest.fixture(scope="module")
def store():
    stand_in = AzureBlob(free_port(), ["pictures", "shared", "other"]).start()
    yield stand_in
    stand_in.stop()


def options(store, **more):
    return {"account_name": ACCOUNT, "endpoint": store.endpoint, "access_key": KEY, **more}


@pytest.fixture(scope="module")
def gate(tmp_path_factory, store):
    folder = tmp_path_factory.mktemp("azure")
    (folder / "files").mkdir()
    wrong = options(store, access_key="d3Jvbmc=", container_name="pictures")
    gateway = Gatehouse(folder, {
        "server": {"region": "us-east-1"},
        "accounts": [{"name": "north", "backend_type": "azure", "buckets": ["pictures", "other"],
                      "backend_options": options(store)}],
        "buckets": [
            {"name": "behind", "account": "north", "backend_prefix": "v2/area",
             "backend_options": {"container_name": "shared"}},
            {"name": "misconfigured", "backend_type": "az", "backend_options": wrong},
            {"name": "nowhere", "account": "north", "backend_options": {"container_name": "missing"}},
            {"name": "unsigned", "backend_type": "azure",
             "backend_options": {"account_name": ACCOUNT, "endpoint": store.endpoint, "container_name": "pictures"}},
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}},
        ],
        "users": [ALICE.entry("user", ["pictures", "behind"])],
        "credentials": [FULL.entry(everywhere())],
        "uploads": {"on_mismatch": "delete", "allowed_content_types": ["image/*"]},
        "routes": [{"path": "/read/{key*}", "methods": ["GET"], "bucket": "pictures", "key": "{key}",
                    "delivery": "redirect", "ttl": "30s"}],
    }).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def s3(gate):
    return s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)


def code(refused):
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"], refused.value.response["Error"]["Code"]


def blobs(store, container="pictures"):
    return store.containers[container].blobs


# Objects


@pytest.mark.parametrize("bucket", BUCKETS)
def test_an_object_comes_back_as_it_was_put(s3, store, bucket):
    key = f"folder/{uuid.uuid4().hex} +ü.txt"
    written = s3.put_object(
        Bucket=bucket, Key=key, Body=b"0123456789", ContentType="text/plain", CacheControl="no-cache",
        ContentLanguage="de", ContentDisposition="inline", ContentEncoding="identity",
        Metadata={"foo-bar": "1", "foo_bar": "2", "1st": "3"})
    assert written["ETag"].endswith('-1"')
    read = s3.get_object(Bucket=bucket, Key=key)
    assert read["Body"].read() == b"0123456789"
    assert read["Metadata"] == {"foo-bar": "1", "foo_bar": "2", "1st": "3"}
    assert (read["ContentType"], read["CacheControl"], read["ContentLanguage"]) == ("text/plain", "no-cache", "de")
    head = s3.head_object(Bucket=bucket, Key=key)
    assert (head["ETag"], head["ContentLength"]) == (written["ETag"], 10)
    kept = blobs(store, "pictures" if bucket == "pictures" else "shared")
    assert kept[key if bucket == "pictures" else f"v2/area/{key}"].content == b"0123456789"


@pytest.mark.parametrize("asked, status, expected", [
    ("bytes=2-4", 206, b"234"), ("bytes=7-", 206, b"789"), ("bytes=-3", 206, b"789"), ("bytes=-30", 206, b"0123456789"),
    ("bytes=0-1,3-4", 200, b"0123456789"), ("bytes=10-", 416, None), ("bytes=-0", 416, None),
])
def test_ranges(s3, asked, status, expected):
    s3.put_object(Bucket="pictures", Key="ranges", Body=b"0123456789")
    if expected is None:
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket="pictures", Key="ranges", Range=asked)
        assert code(refused) == (416, "InvalidRange")
        return
    read = s3.get_object(Bucket="pictures", Key="ranges", Range=asked)
    assert (read["ResponseMetadata"]["HTTPStatusCode"], read["Body"].read()) == (status, expected)


def test_conditions_are_the_stores_to_judge(s3, store):
    etag = s3.put_object(Bucket="pictures", Key="conditions", Body=b"1", IfNoneMatch="*")["ETag"]
    for wrong in ({"IfNoneMatch": "*"}, {"IfMatch": '"8D0-1"'}):
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket="pictures", Key="conditions", Body=b"2", **wrong)
        assert code(refused) == (412, "PreconditionFailed")
    assert blobs(store)["conditions"].content == b"1"
    s3.put_object(Bucket="pictures", Key="conditions", Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="pictures", Key="conditions", IfMatch=etag)
    assert code(refused)[0] == 412
    now = s3.head_object(Bucket="pictures", Key="conditions")["ETag"]
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="pictures", Key="conditions", IfNoneMatch=now)
    assert code(refused)[0] == 304


def test_answers_say_what_the_client_wants_said(s3):
    s3.put_object(Bucket="pictures", Key="said", Body=b"x", ContentType="text/plain")
    read = s3.get_object(Bucket="pictures", Key="said", ResponseContentType="image/png",
                         ResponseContentDisposition="attachment", ResponseCacheControl="no-store")
    assert (read["ContentType"], read["ContentDisposition"], read["CacheControl"]) == ("image/png", "attachment", "no-store")


def test_what_is_not_there_and_what_was_never_there(s3):
    s3.delete_object(Bucket="pictures", Key="never there")
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="pictures", Key="never there")
    assert code(refused) == (404, "NoSuchKey")
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="nowhere", Key="x")
    assert code(refused) == (404, "NoSuchBucket")
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket="nowhere")
    assert s3.head_bucket(Bucket="pictures")["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("bucket", ["misconfigured", "unsigned"])
def test_a_credential_that_the_store_refuses_is_our_trouble(s3, bucket):
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="x")
    assert code(refused) == (502, "BackendAuthFailed")
    assert ACCOUNT not in str(refused.value) and "container" not in str(refused.value)


def test_what_azure_has_no_like_of_is_501(s3):
    s3.put_object(Bucket="pictures", Key="tagged", Body=b"x")
    for ask in (
        lambda: s3.put_object_tagging(Bucket="pictures", Key="tagged", Tagging={"TagSet": []}),
        lambda: s3.get_object(Bucket="pictures", Key="tagged", VersionId="1"),
        lambda: s3.put_object(Bucket="pictures", Key="tagged", Body=b"y", Tagging="a=b"),
        lambda: s3.list_object_versions(Bucket="pictures"),
    ):
        with pytest.raises(ClientError) as refused:
            ask()
        assert code(refused) == (501, "NotImplemented")


def test_a_body_that_is_not_what_was_promised_is_never_kept(gate, s3, store):
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="pictures", Key="wrong", Body=b"x" * 100_000, ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    assert code(refused) == (400, "BadDigest")
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="pictures", Key="wrong", Body=b"x" * 100_000, ChecksumSHA256="A" * 43 + "=")
    assert code(refused)[0] == 400
    url = s3.generate_presigned_url("put_object", {"Bucket": "pictures", "Key": "wrong"})
    with socket.create_connection(("127.0.0.1", gate.port)) as connection:
        path = url.split(gate.endpoint)[1]
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nContent-Length: 100000\r\n\r\n".encode())
        connection.sendall(b"x" * 50_000)
    assert s3.put_object(Bucket="pictures", Key="right", Body=b"y")
    assert "wrong" not in blobs(store)


def test_keys_that_gateways_get_wrong(s3, store):
    expected = []
    for index, key in enumerate(NASTY_KEYS):
        name = "nasty/" + key
        if len(name.encode()) > 1024:
            continue
        if "\\" in name:
            # Azure takes it for a slash: that would be another blob than the one that was decided about.
            with pytest.raises(ClientError) as error:
                s3.put_object(Bucket="pictures", Key=name, Body=b"")
            assert error.value.response["Error"]["Code"] == "InvalidArgument"
            continue
        s3.put_object(Bucket="pictures", Key=name, Body=str(index).encode())
        assert s3.get_object(Bucket="pictures", Key=name)["Body"].read() == str(index).encode(), key
        expected.append(name)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="pictures", Prefix="nasty/", PaginationConfig={"PageSize": 7})
    listed = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert listed == sorted(expected, key=lambda name: name.encode())


# Lists


@pytest.fixture(scope="module", params=BUCKETS)
def listed(request, s3, store):
    prefix = "" if request.param == "pictures" else "v2/area/"
    container = blobs(store, "pictures" if request.param == "pictures" else "shared")
    for name in [f"list/{folder}/{index}" for folder in "abc" for index in range(4)] + ["list/top", "list/b!", "list/z"]:
        container[prefix + name] = store._new(None, b"x")
    container["v2/other"] = store._new(None, b"outside")
    return request.param


def every(s3, operation, **arguments):
    keys, prefixes = [], []
    for page in s3.get_paginator(operation).paginate(**arguments):
        keys += [entry["Key"] for entry in page.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return keys, prefixes


ALL = sorted([f"list/{folder}/{index}" for folder in "abc" for index in range(4)] + ["list/top", "list/b!", "list/z"])


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_pages_of_a_listing_hold_every_key_once(s3, listed, operation, size):
    arguments = {"Bucket": listed, "Prefix": "list/", "PaginationConfig": {"PageSize": size}}
    assert every(s3, operation, **arguments) == (ALL, [])
    keys, prefixes = every(s3, operation, Delimiter="/", **arguments)
    assert (keys, prefixes) == (["list/b!", "list/top", "list/z"], ["list/a/", "list/b/", "list/c/"])


def test_a_listing_begins_behind_any_key(s3, listed):
    found, token = [], {"StartAfter": "list/b/1"}
    while token:
        page = s3.list_objects_v2(Bucket=listed, Prefix="list/", MaxKeys=3, **token)
        found += [entry["Key"] for entry in page["Contents"]]
        token = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else None
    assert found == ALL[ALL.index("list/b/1") + 1:]
    page = s3.list_objects(Bucket=listed, Prefix="list/", Marker="list/top")
    assert [entry["Key"] for entry in page["Contents"]] == ["list/z"]
    assert s3.list_objects_v2(Bucket=listed, Prefix="list/", MaxKeys=0)["KeyCount"] == 0


def test_a_token_is_good_for_its_own_listing(s3, listed):
    token = s3.list_objects_v2(Bucket=listed, Prefix="list/", MaxKeys=1)["NextContinuationToken"]
    for other in ({"Prefix": "list/a"}, {"Prefix": "list/", "Delimiter": "/"}):
        with pytest.raises(ClientError) as refused:
            s3.list_objects_v2(Bucket=listed, ContinuationToken=token, **other)
        assert code(refused) == (400, "InvalidArgument")


def test_a_batch_of_deletions_says_what_became_of_each(s3, store):
    for name in ("gone/1", "gone/2"):
        s3.put_object(Bucket="pictures", Key=name, Body=b"x")
    answer = s3.delete_objects(Bucket="pictures", Delete={"Objects": [
        {"Key": "gone/1"}, {"Key": "gone/2"}, {"Key": "gone/never"}, {"Key": "gone/1", "VersionId": "7"}]})
    assert {entry["Key"] for entry in answer["Deleted"]} == {"gone/1", "gone/2", "gone/never"}
    assert [entry["Code"] for entry in answer["Errors"]] == ["NotImplemented"]
    assert not [name for name in blobs(store) if name.startswith("gone/")]


# Uploads in parts


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_large_file_goes_up_in_parts_and_comes_down_in_ranges(s3, bucket):
    content = bytes(range(256)) * (64 << 10)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(content), bucket, "large", Config=config,
                      ExtraArgs={"ContentType": "image/png", "Metadata": {"a-b": "1"}})
    head = s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentType"], head["Metadata"], head["ContentLength"]) == ("image/png", {"a-b": "1"}, len(content))
    assert head["ETag"].endswith('-4"')
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="large")["Contents"][0]
    assert listed["ETag"] == head["ETag"]
    came = io.BytesIO()
    s3.download_fileobj(bucket, "large", came, Config=config)
    assert hashlib.sha256(came.getvalue()).digest() == hashlib.sha256(content).digest()
    part = s3.get_object(Bucket=bucket, Key="large", PartNumber=2)
    assert part["Body"].read() == content[5 * MIB:10 * MIB]
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_parts_are_put_together_by_their_numbers(s3):
    upload = s3.create_multipart_upload(Bucket="pictures", Key="parts")["UploadId"]
    where = {"Bucket": "pictures", "Key": "parts", "UploadId": upload}
    etags = {}
    for number, body in ((10, b"last"), (2, b"second"), (1, b"wrong"), (1, b"first")):
        etags[number, body] = s3.upload_part(**where, PartNumber=number, Body=body)["ETag"]
    listed = s3.list_parts(**where)
    assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(1, 5), (2, 6), (10, 4)]
    assert listed["Parts"][0]["ETag"] == etags[1, b"first"] != etags[1, b"wrong"]
    page = s3.list_parts(**where, MaxParts=2)
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 2
    assert [part["PartNumber"] for part in s3.list_parts(**where, PartNumberMarker=2)["Parts"]] == [10]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket="pictures", Prefix="parts")["Uploads"]] == ["parts"]
    never = [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '-1"'}]
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": never})
    assert code(refused) == (400, "InvalidPart")
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed["Parts"]]
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-3"')
    assert s3.get_object(Bucket="pictures", Key="parts")["Body"].read() == b"firstsecondlast"
    with pytest.raises(ClientError) as refused:
        s3.list_parts(**where)
    assert code(refused) == (404, "NoSuchUpload")


def test_more_than_a_thousand_parts(s3):
    upload = s3.create_multipart_upload(Bucket="pictures", Key="many")["UploadId"]
    where = {"Bucket": "pictures", "Key": "many", "UploadId": upload}
    parts = [{"PartNumber": n, "ETag": s3.upload_part(**where, PartNumber=n, Body=f"{n}\n".encode())["ETag"]}
             for n in range(1, 1102)]
    found = [part["PartNumber"] for page in s3.get_paginator("list_parts").paginate(**where) for part in page["Parts"]]
    assert found == list(range(1, 1102))
    assert s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})["ETag"].endswith('-1101"')
    body = s3.get_object(Bucket="pictures", Key="many")["Body"].read()
    assert body == b"".join(f"{n}\n".encode() for n in range(1, 1102))


def test_what_was_given_up_is_gone(s3, store):
    upload = s3.create_multipart_upload(Bucket="behind", Key="given up")["UploadId"]
    where = {"Bucket": "behind", "Key": "given up", "UploadId": upload}
    etag = s3.upload_part(**where, PartNumber=1, Body=b"x")["ETag"]
    for other in ({**where, "Key": "another"}, {**where, "UploadId": "0" * 32}):
        with pytest.raises(ClientError) as refused:
            s3.abort_multipart_upload(**other)
        assert code(refused) == (404, "NoSuchUpload")
    s3.abort_multipart_upload(**where)
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert code(refused) == (404, "NoSuchUpload")
    assert not s3.list_multipart_uploads(Bucket="behind").get("Uploads")
    assert not [name for name in blobs(store, "shared") if ".gatehouse" in name]


def test_unfinished_uploads_are_listed_in_order_and_seen_nowhere_else(s3):
    keys = ["up/b/1", "up/a", "up/b/2", "up/c", "up/a!"]
    ids = {key: s3.create_multipart_upload(Bucket="other", Key=key)["UploadId"] for key in keys}
    found = [upload["Key"] for page in s3.get_paginator("list_multipart_uploads").paginate(
        Bucket="other", Prefix="up/", PaginationConfig={"PageSize": 2}) for upload in page["Uploads"]]
    assert found == sorted(keys)
    page = s3.list_multipart_uploads(Bucket="other", Prefix="up/", Delimiter="/")
    assert [upload["Key"] for upload in page["Uploads"]] == ["up/a", "up/a!", "up/c"]
    assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["up/b/"]
    assert s3.list_objects_v2(Bucket="other", Delimiter="/")["KeyCount"] == 0
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="other", Key=f".gatehouse/uploads/{ids['up/a']}")
    assert code(refused) == (403, "AccessDenied")
    for key in keys:
        s3.abort_multipart_upload(Bucket="other", Key=key, UploadId=ids[key])


# Copies


def test_a_copy_within_the_account_is_the_stores(s3, store):
    s3.put_object(Bucket="pictures", Key="source", Body=b"copied", ContentType="image/png", Metadata={"a": "1"})
    before = len(store.requests)
    copied = s3.copy_object(Bucket="behind", Key="copy", CopySource={"Bucket": "pictures", "Key": "source"})
    assert [request[0] for request in store.requests[before:]] == ["PUT", "HEAD"]
    head = s3.head_object(Bucket="behind", Key="copy")
    assert (head["ContentType"], head["Metadata"], head["ETag"]) == ("image/png", {"a": "1"}, copied["CopyObjectResult"]["ETag"])
    s3.copy_object(Bucket="behind", Key="copy", CopySource={"Bucket": "pictures", "Key": "source"},
                   MetadataDirective="REPLACE", ContentType="image/gif")
    head = s3.head_object(Bucket="behind", Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("image/gif", {})
    with pytest.raises(ClientError) as refused:
        s3.copy_object(Bucket="pictures", Key="new", CopySource={"Bucket": "pictures", "Key": "source"},
                       CopySourceIfMatch='"8D0-1"')
    assert code(refused) == (412, "PreconditionFailed")
    with pytest.raises(ClientError) as refused:
        s3.copy_object(Bucket="pictures", Key="source", CopySource={"Bucket": "pictures", "Key": "source"})
    assert code(refused) == (400, "InvalidRequest")


@pytest.mark.parametrize("source, destination", [("pictures", "local"), ("local", "behind")])
def test_a_copy_to_another_store_is_carried(s3, source, destination):
    for key, body in (("short", b"short"), ("long", b"0123456789abcdef" * (5 << 20))):
        s3.put_object(Bucket=source, Key=f"carried {key}", Body=body, ContentType="image/png", Metadata={"a-b": "1"})
        s3.copy_object(Bucket=destination, Key=f"arrived {key}", CopySource={"Bucket": source, "Key": f"carried {key}"})
        read = s3.get_object(Bucket=destination, Key=f"arrived {key}")
        assert read["Body"].read() == body
        assert (read["ContentType"], read["Metadata"]) == ("image/png", {"a-b": "1"})


def test_parts_are_copied_within_the_account(s3):
    s3.put_object(Bucket="pictures", Key="part source", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket="behind", Key="of parts")["UploadId"]
    where = {"Bucket": "behind", "Key": "of parts", "UploadId": upload}
    etags = [s3.upload_part_copy(**where, PartNumber=number, CopySource={"Bucket": "pictures", "Key": "part source"},
                                 CopySourceRange=piece)["CopyPartResult"]["ETag"]
             for number, piece in ((1, "bytes=5-9"), (2, "bytes=0-2"))]
    s3.complete_multipart_upload(**where, MultipartUpload={
        "Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]})
    assert s3.get_object(Bucket="behind", Key="of parts")["Body"].read() == b"56789012"


def test_a_form_puts_its_file(gate, s3):
    form = s3.generate_presigned_post("pictures", "from a form", Fields={"Content-Type": "image/png"},
                                      Conditions=[{"Content-Type": "image/png"}])
    answer = requests.post(form["url"], data=form["fields"], files={"file": ("f", b"form")}, timeout=120)
    assert answer.status_code == 204, answer.text
    assert s3.get_object(Bucket="pictures", Key="from a form")["Body"].read() == b"form"


# Other deliveries


def test_a_download_leads_to_the_store(gate, store, s3):
    s3.put_object(Bucket="behind", Key="down load", Body=b"content")
    answer = gate.request(
        "POST", "/-/v1/downloads", {**ALICE.headers, "content-type": "application/json"},
        json.dumps({"bucket": "behind", "key": "down load", "ttl": "1m", "filename": "a.txt", "content_type": "text/csv"}).encode())
    signed = answer.json()
    assert answer.status == 200 and signed["via"] == "store" and signed["url"].startswith(store.endpoint)
    read = requests.get(signed["url"], timeout=120)
    assert (read.content, read.headers["content-type"]) == (b"content", "text/csv")
    assert "attachment" in read.headers["content-disposition"]
    assert requests.put(signed["url"], data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=120).status_code == 403
    assert requests.get(signed["url"].replace("down%20load", "copy"), timeout=120).status_code == 403


def test_a_slot_is_put_aside_and_promoted_when_it_is_what_was_promised(gate, store, s3):
    body = b"\x89PNG"
    slot = issue(gate, len(body), "pictures", key=f"slots/{uuid.uuid4().hex}.png", metadata={"album-name": "summer"})
    assert slot["upload"]["url"].startswith(f"{store.endpoint}/pictures/.gatehouse/quarantine/")
    assert use(slot, body) == 201
    assert use(slot, body) == 403, "once"
    with pytest.raises(ClientError):
        s3.head_object(Bucket="pictures", Key=slot["key"])
    done = complete(gate, slot)
    assert done.status == 200 and done.json()["state"] == "completed", done
    read = s3.get_object(Bucket="pictures", Key=slot["key"])
    assert (read["Body"].read(), read["ContentType"], read["Metadata"]) == (body, "image/png", {"album-name": "summer"})
    assert not [name for name in blobs(store) if name.startswith(".gatehouse/quarantine/")]


FORGED = {
    "x-ms-meta-owner": "attacker", "x-ms-meta-gatehouse_xparts": "7", "x-ms-meta-more": "than promised",
    "x-ms-meta-z_x0d_x0aset_x2dcookie_x3a_x20a": "b", "x-ms-meta-b_xffa_x00c": "d",
    "x-ms-blob-cache-control": "public, max-age=31536000", "x-ms-blob-content-disposition": "attachment; filename=x.exe",
    "x-ms-blob-content-encoding": "gzip", "x-ms-blob-content-language": "tlh",
}


def test_who_holds_a_slot_s_url_does_not_decide_what_the_object_is_said_to_be(gate, store, s3):
    """A shared access signature binds no field."""
    body = b"\x89PNG"
    slot = issue(gate, len(body), "pictures", key=f"slots/{uuid.uuid4().hex}.png", metadata={"owner": "app"})
    assert use(slot, body, **FORGED) == 201
    done = complete(gate, slot)
    assert done.status == 200, done
    kept = blobs(store)[slot["key"]]
    assert kept.metadata == {"owner": "app", "gatehouse_xparts": "1"}
    assert kept.properties == {"content-type": "image/png"}
    read = s3.get_object(Bucket="pictures", Key=slot["key"])
    assert (read["Body"].read(), read["Metadata"], read["ETag"][-3:]) == (body, {"owner": "app"}, '-1"')
    assert not {"ContentEncoding", "ContentDisposition", "CacheControl", "ContentLanguage"} & set(read)


def test_names_of_metadata_that_no_client_could_send_are_not_answered(gate, store):
    """They would be fields that are none, or other fields."""
    named = {name.removeprefix("x-ms-meta-"): value for name, value in FORGED.items() if name.startswith("x-ms-meta-")}
    blobs(store)["forged names"] = store._new(None, b"x", metadata={**named, "gatehouse_xparts": "70000"})
    with RawConnection(gate.port) as connection:
        connection.request("GET", "/pictures/forged%20names", ALICE.headers)
        status, fields, _ = connection.answer()
    assert status == 200
    assert {name.lower(): value for name, value in fields.items() if name.lower().startswith("x-amz-meta-")} == {
        "x-amz-meta-owner": "attacker", "x-amz-meta-more": "than promised",
    }
    assert fields["etag"].endswith('-1"')


def test_a_promotion_that_nobody_heard_of_is_not_taken_for_somebody_else_s_object(gate, store):
    """A copy has an ETag of its own: after a crash between copy and answer it looked occupied."""
    body = b"\x89PNG of this slot"
    slot = issue(gate, len(body), "pictures", key=f"slots/{uuid.uuid4().hex}.png")
    assert use(slot, body) == 201
    [waiting] = [blob for name, blob in blobs(store).items() if slot["upload"]["url"].split("?")[0].endswith(name)]
    copied = store._new(None, body, properties=dict(waiting.properties), metadata=dict(waiting.metadata), md5=waiting.md5)
    blobs(store)[slot["key"]] = copied
    done = complete(gate, slot)
    assert (done.status, done.json()["state"]) == (200, "completed"), done
    assert blobs(store)[slot["key"]] is copied, "it is not made once more"


def test_somebody_else_s_object_of_the_same_size_and_type_is_left_alone(gate, store):
    body = b"\x89PNG of this slot"
    slot = issue(gate, len(body), "pictures", key=f"slots/{uuid.uuid4().hex}.png")
    assert use(slot, body) == 201
    [waiting] = [blob for name, blob in blobs(store).items() if slot["upload"]["url"].split("?")[0].endswith(name)]
    other = store._new(None, body[::-1], properties=dict(waiting.properties), md5="AAAAAAAAAAAAAAAAAAAAAA==")
    blobs(store)[slot["key"]] = other
    assert complete(gate, slot).s3_code == "KeyOccupied"
    assert blobs(store)[slot["key"]] is other


def test_a_slot_that_got_something_else_never_comes_to_its_key(gate, store, s3):
    slot = issue(gate, 4, "pictures", key=f"slots/{uuid.uuid4().hex}.png")
    headers = {name: value for name, value in slot["upload"]["headers"].items() if name != "content-length"}
    assert put(slot["upload"]["url"], {**headers, "content-type": "text/html"}, b"<script>")[0] == 201
    refused = complete(gate, slot)
    assert refused.status == 422, refused
    with pytest.raises(ClientError):
        s3.head_object(Bucket="pictures", Key=slot["key"])


def test_another_gateway_gets_a_signature_and_never_more(gate, store, s3):
    s3.put_object(Bucket="pictures", Key="by gateway", Body=b"0123456789")
    asked = gate.request("GET", "/-/authz/envoy/s3/pictures/by%20gateway", {**ALICE.headers, "range": "bytes=2-4"})
    assert asked.status == 200, asked
    fields = {name: asked.headers[name] for name in ("authorization", "x-ms-date", "x-ms-version")}
    assert fields["authorization"].startswith(f"SharedKey {ACCOUNT}:")
    url = store.endpoint + asked.headers["x-gatehouse-upstream-path"]
    assert requests.get(url, headers={**fields, "range": "bytes=2-4"}, timeout=120).content == b"234"
    assert requests.delete(url, headers=fields, timeout=120).status_code == 403
    assert requests.get(url + "x", headers=fields, timeout=120).status_code == 403
    listing = gate.request("GET", "/-/authz/envoy/s3/pictures?list-type=2", ALICE.headers)
    assert listing.status == 403


def test_no_log_holds_a_signature(gate):
    text = gate.access_log_path.read_text() + gate.audit_path.read_text()
    assert "sig=" not in text and "SharedKey" not in text and KEY not in text


# What is put around an answer


@pytest.fixture(scope="module")
def pages(tmp_path_factory, store):
    """An anonymous bucket at Azure in the origin that takes a provider's cookie, and a route to it."""
    provider = {"name": "app", "issuer": "app", "audiences": ["gatehouse"], "cookie": "session",
                "shared_secret": "0123456789abcdef0123456789abcdef"}
    gateway = Gatehouse(tmp_path_factory.mktemp("pages"), {
        "buckets": [{"name": "public", "backend_type": "azure", "anonymous_access": True,
                     "backend_options": options(store, container_name="other")}],
        "identity_providers": [provider],
        "credentials": [FULL.entry(everywhere())],
        "routes": [{"path": "/text/{key*}", "methods": ["GET"], "bucket": "public", "key": "{key}", "anonymous": True,
                    "content_type": "text/plain"}],
    }).start()
    client = s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    client.put_object(Bucket="public", Key="page.html", Body=b"<script>1</script>" * 9, ContentType="text/html")
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("query, headers", [("", {}), ("?partNumber=1", {}), ("", {"Range": "bytes=-30"}),
                                            ("", {"Range": "bytes=3-"})])
def test_no_part_of_a_page_acts_for_whoever_has_a_cookie(pages, query, headers):
    answer = pages.request("GET", "/public/page.html" + query, headers)
    assert answer.status in (200, 206) and answer.headers["content-type"] == "text/html"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_the_end_of_an_object_has_the_route_s_type(pages):
    answer = pages.request("GET", "/text/page.html", {"Range": "bytes=-30"})
    assert answer.status == 206 and answer.headers["content-type"] == "text/plain"


def test_the_end_of_an_object_is_read_with_a_link(gate, store, s3):
    s3.put_object(Bucket="pictures", Key="linked.html", Body=b"0123456789", ContentType="text/html")
    made = gate.request("POST", "/-/v1/grants", {**ALICE.headers, "content-type": "application/json"}, json.dumps({
        "subject": "link", "bucket": "pictures", "key": "linked.html", "actions": ["get_object"],
        "expires_at": "2099-01-01T00:00:00Z", "max_uses": 1,
    }))
    assert made.status == 201, made
    path = "/-/l/" + made.json()["link"].split("/-/l/")[1]
    answer = gate.request("GET", path, {"Range": "bytes=-3"})
    assert (answer.status, answer.body) == (206, b"789")
    assert answer.headers["cache-control"] == "no-store" and answer.headers["content-security-policy"] == "sandbox"
