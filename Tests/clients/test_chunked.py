"""Uploads in chunks, as today's SDKs send them: every form, towards a store that knows trailers and one that does not."""

import os
import random

import pytest
from botocore.exceptions import ClientError

from support.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, ChunkedPut, crc32
from support.clients import s3_client
from support.gatehouse import eventually
from support.people import ALICE, FULL, within
from support.raw import RawConnection
from support.stub_store import response

FORMS = [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]
SIZES = [0, 1, 5, 16_384, 16_385, 65_536, 65_537, 300_000]


def put(gate, path, data, form, **options):
    return ChunkedPut(gate.endpoint, path, data, form, FULL.access_key, FULL.secret_key, **options)


def is_absent(store, key):
    try:
        store.head_object(Bucket="photos", Key=key)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("404", "NoSuchKey")
    return False


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", SIZES)
def test_object_is_stored_byte_for_byte_without_its_chunks(gate, north_s3, form, size):
    key, data = f"chunked/{form}-{size}", os.urandom(size)
    answer = put(gate, f"/photos/{key}", data, form, headers={"x-amz-meta-a": "b"}).send(gate)
    assert answer.status == 200, answer
    if form != SIGNED:
        assert answer.headers["x-amz-checksum-crc32"] == crc32(data)
    stored = north_s3.get_object(Bucket="photos", Key=key)
    assert stored["Body"].read() == data
    assert stored["Metadata"] == {"a": "b"}
    assert stored.get("ContentEncoding", "") == ""


@pytest.mark.parametrize("form", FORMS)
def test_other_codings_stay_with_the_object(gate, north_s3, form):
    chunked = put(gate, f"/photos/chunked/gzip-{form}", b"not really gzip", form,
                  headers={"Content-Encoding": "aws-chunked,gzip"})
    assert chunked.send(gate).status == 200
    stored = north_s3.head_object(Bucket="photos", Key=f"chunked/gzip-{form}")
    assert stored["ContentEncoding"] == "gzip"


def spoiled(chunked, how):
    """The body with one thing wrong, and the code that it must be refused with."""
    body = chunked.body
    if how == "data":
        # The checksum tells where nothing is signed.
        at = body.index(b"\r\n") + 3
        wrong = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        return wrong, "BadDigest" if chunked.form == UNSIGNED_TRAILER else "SignatureDoesNotMatch"
    if how == "last chunk signature":
        signature = chunked.signatures[-1]
        return body.replace(signature.encode(), (signature[:-1] + ("0" if signature[-1] != "0" else "1")).encode()), \
            "SignatureDoesNotMatch"
    if how == "trailer signature":
        return body.replace(chunked.trailer_signature.encode(), b"0" * 64), "SignatureDoesNotMatch"
    if how == "trailer value":
        chunked.trailer_value = crc32(b"something else")
        return chunked.body, "BadDigest" if chunked.form == UNSIGNED_TRAILER else "SignatureDoesNotMatch"
    if how == "no trailer":
        start = body.index(b"x-amz-checksum")
        end = body.index(b"\r\n", start) + 2
        return body[:start] + body[end:], "MalformedTrailerError"
    if how == "another trailer":
        return body.replace(b"x-amz-checksum-crc32", b"x-amz-checksum-sha256"), "MalformedTrailerError"
    if how == "no last chunk":
        return body[:body.rindex(b"\r\n0") + 2], "IncompleteBody"
    if how == "size":
        return b"fffffff" + body, "IncompleteBody"
    raise AssertionError(how)


CASES = [(form, how) for form in FORMS for how in (
    ["data", "no last chunk", "size"] + ([] if form == UNSIGNED_TRAILER else ["last chunk signature"])
    + ([] if form == SIGNED else ["trailer value", "no trailer", "another trailer"])
    + (["trailer signature"] if form == SIGNED_TRAILER else [])
)]


@pytest.mark.parametrize("form, how", CASES)
@pytest.mark.parametrize("size", [100, 200_000])
def test_body_with_one_thing_wrong_is_refused_and_nothing_is_committed(gate, north_s3, form, how, size):
    key = f"chunked/bad-{form}-{how.replace(' ', '-')}-{size}"
    chunked = put(gate, f"/photos/{key}", os.urandom(size), form)
    body, code = spoiled(chunked, how)
    answer = chunked.send(gate, body)
    assert (answer.status, answer.s3_code) == (403 if code == "SignatureDoesNotMatch" else 400, code)
    assert is_absent(north_s3, key)


@pytest.mark.parametrize("change, status, code", [
    ({"x-amz-decoded-content-length": None}, 411, "MissingContentLength"),
    ({"x-amz-decoded-content-length": "99"}, 400, "IncompleteBody"),
    ({"x-amz-decoded-content-length": "1"}, 400, "IncompleteBody"),
    ({"x-amz-decoded-content-length": "-1"}, 400, "InvalidArgument"),
    ({"x-amz-decoded-content-length": "9999999999999999"}, 400, "EntityTooLarge"),
    ({"x-amz-trailer": "x-amz-meta-a"}, 400, "InvalidRequest"),
    ({"x-amz-checksum-sha1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}, 400, "InvalidRequest"),
    ({"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, 400, "InvalidRequest"),
    ({"x-amz-content-sha256": "STREAMING-SOMETHING"}, 400, "InvalidArgument"),
])
def test_head_that_does_not_fit_its_chunks_is_refused(gate, north_s3, change, status, code):
    chunked = ChunkedPut(gate.endpoint, "/photos/chunked/head", b"hello", UNSIGNED_TRAILER, None, None)
    chunked.headers.update({**ALICE.headers, **change})
    chunked.headers = {name: value for name, value in chunked.headers.items() if value is not None}
    answer = chunked.send(gate)
    assert (answer.status, answer.s3_code) == (status, code)
    assert is_absent(north_s3, "chunked/head")


def test_callers_without_a_signature_send_unsigned_chunks(gate, north_s3):
    chunked = ChunkedPut(gate.endpoint, "/photos/chunked/by-key", b"hello" * 9000, UNSIGNED_TRAILER, None, None)
    chunked.headers.update(ALICE.headers)
    assert chunked.send(gate).status == 200
    assert north_s3.get_object(Bucket="photos", Key="chunked/by-key")["Body"].read() == b"hello" * 9000


def test_parts_come_in_chunks(gate, s3, north_s3):
    upload = s3.create_multipart_upload(Bucket="photos", Key="chunked/parts")["UploadId"]
    parts, data = [], [os.urandom(5 << 20), os.urandom(1000)]
    for number, piece in enumerate(data, 1):
        path = f"/photos/chunked/parts?partNumber={number}&uploadId={upload}"
        answer = put(gate, path, piece, FORMS[number], chunk=1 << 20).send(gate)
        assert answer.status == 200, answer
        parts.append({"PartNumber": number, "ETag": answer.headers["etag"]})
    s3.complete_multipart_upload(
        Bucket="photos", Key="chunked/parts", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert north_s3.get_object(Bucket="photos", Key="chunked/parts")["Body"].read() == b"".join(data)


# What the store is sent


def at_stub(gateway, store, name, **bucket):
    return gateway({
        "buckets": [{"name": "photos",
                     "backend_options": {"endpoint": store.endpoint, "region": "us-east-1",
                                         "access_key_id": "AKSTORE", "secret_access_key": "store-secret"},
                     **bucket}],
        "credentials": [FULL.entry([within("photos", [], "*")])],
    }, name=name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [5, 100_000])
@pytest.mark.parametrize("checksums", ["pass", "verify"])
def test_store_gets_what_the_bucket_says(gateway, stub_store, form, size, checksums):
    store = stub_store(response())
    alone = at_stub(gateway, store, checksums, checksums=checksums)
    data = os.urandom(size)
    answer = put(alone, "/photos/x", data, form).send(alone)
    assert answer.status == 200
    [seen] = store.seen
    told = [name for name, _ in seen.headers if "checksum" in name.lower() or name.lower() == "x-amz-trailer"]
    assert not (seen.header("content-encoding") or "")
    if form == SIGNED or checksums == "verify":
        assert not told and seen.body == data
        assert seen.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
        assert seen.header("x-amz-decoded-content-length") is None
    elif size == 5:
        assert seen.header("x-amz-checksum-crc32") == crc32(data) and seen.body == data
    else:
        assert seen.header("x-amz-content-sha256") == UNSIGNED_TRAILER
        assert seen.header("x-amz-decoded-content-length") == str(size)
        assert seen.header("x-amz-trailer") == "x-amz-checksum-crc32"
        assert seen.body.endswith(f"\r\n0\r\nx-amz-checksum-crc32:{crc32(data)}\r\n\r\n".encode())
    if form != SIGNED:
        assert answer.headers["x-amz-checksum-crc32"] == crc32(data)
        assert answer.headers["x-amz-checksum-type"] == "FULL_OBJECT"


@pytest.mark.parametrize("name, told", [("SeaweedFS 30GB 4.48", True), ("AmazonS3", True), ("nginx", False), (None, False)])
def test_store_is_asked_what_it_is_and_told_accordingly(gateway, stub_store, name, told):
    store = stub_store(response())
    store.server_name = name
    alone = at_stub(gateway, store, "auto")
    assert eventually(lambda: store.probes == 1)
    checks = lambda: alone.request("GET", "/-/ready", admin=True).json()["checks"]
    assert eventually(lambda: any(check["name"] == f"store {store.endpoint}" and check["ok"] for check in checks()))
    checksum = crc32(b"hello")
    s3 = s3_client(alone.endpoint, FULL.access_key, FULL.secret_key)
    answer = s3.put_object(Bucket="photos", Key="x", Body=b"hello", ChecksumCRC32=checksum)
    assert answer["ChecksumCRC32"] == checksum
    assert store.seen[-1].header("x-amz-checksum-crc32") == (checksum if told else None)
    assert store.probes == 1


def test_store_that_is_away_at_the_start_is_asked_again_and_nothing_waits_for_it(gateway, stub_store):
    store = stub_store(response())
    store.server_name = "AmazonS3"
    store.stop()
    alone = at_stub(gateway, store, "away")
    assert alone.request("GET", "/-/ready").status == 200
    ready = lambda: alone.request("GET", "/-/ready", admin=True).json()
    assert eventually(lambda: any(check["name"].startswith("store ") and not check["ok"] for check in ready()["checks"]))
    assert ready()["ready"]


# Real clients in their default settings


@pytest.mark.parametrize("checksums", ["pass", "verify"])
def test_boto3_in_its_default_settings_over_tls_and_without(gateway, north, north_s3, tmp_path, checksums):
    from test_transport import Authority

    folder = tmp_path / "over-tls"
    folder.mkdir()
    Authority().write(folder)
    config = {
        "buckets": [{"name": "photos", "checksums": checksums,
                     "backend_options": {"endpoint": north.endpoint, "region": "us-east-1",
                                         "access_key_id": north.access_key,
                                         "secret_access_key": north.secret_key}}],
        "credentials": [FULL.entry([within("photos", [], "*")])],
    }
    secure = gateway({**config, "server": {"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}},
                     name="over-tls", tls=folder / "ca.crt")
    plain = gateway(config, name="plain")
    data = os.urandom(200_000)
    for gate, more in [(secure, {"verify": str(folder / "ca.crt")}), (plain, {})]:
        s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key, checksums="when_supported", **more)
        for size in (0, 5, len(data)):
            answer = s3.put_object(Bucket="photos", Key=f"boto/{checksums}", Body=data[:size])
            assert answer["ChecksumCRC32"] == crc32(data[:size])
            stored = north_s3.get_object(Bucket="photos", Key=f"boto/{checksums}")
            assert stored["Body"].read() == data[:size]
            assert stored.get("ContentEncoding", "") == ""
        upload = s3.create_multipart_upload(Bucket="photos", Key=f"boto/parts-{checksums}")["UploadId"]
        parts = []
        for number in (1, 2):
            part = s3.upload_part(Bucket="photos", Key=f"boto/parts-{checksums}", UploadId=upload, PartNumber=number,
                                  Body=data + b"x" * (5 << 20) if number == 1 else data)
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
        s3.complete_multipart_upload(Bucket="photos", Key=f"boto/parts-{checksums}", UploadId=upload,
                                     MultipartUpload={"Parts": parts})
        stored = north_s3.get_object(Bucket="photos", Key=f"boto/parts-{checksums}")
        assert stored["Body"].read() == data + b"x" * (5 << 20) + data


def test_aws_cli_in_its_default_settings(command_line, north_s3, tmp_path, monkeypatch):
    monkeypatch.setitem(command_line.env, "AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"hello")
    large.write_bytes(os.urandom(20 << 20))
    for file in (small, large):
        command_line.aws("s3", "cp", str(file), f"s3://photos/aws-cli/{file.name}")
        assert north_s3.get_object(Bucket="photos", Key=f"aws-cli/{file.name}")["Body"].read() == file.read_bytes()
        command_line.aws("s3", "cp", f"s3://photos/aws-cli/{file.name}", str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == file.read_bytes()


# Nothing that is changed gets through


def test_mutated_bodies_are_refused_or_whole_and_never_an_error_of_ours(gate, north_s3):
    """A thousand bodies, each with bytes changed, dropped, doubled or moved: an answer other than 5xx, and nothing
    at the store but the object itself."""
    dice = random.Random(20261121)
    outcomes = {}
    for number in range(1000):
        form = FORMS[number % 3]
        data = dice.randbytes(dice.choice([3, 500, 20_000, 70_000]))
        key = f"chunked/mutated-{number}"
        chunked = put(gate, f"/photos/{key}", data, form, chunk=dice.choice([1 << 16, 8192, 600]))
        body = bytearray(chunked.body)
        for _ in range(dice.choice([1, 1, 1, 3])):
            at = dice.randrange(len(body))
            match dice.randrange(6):
                case 0: body[at] ^= 1 << dice.randrange(8)
                case 1: del body[at:at + dice.choice([1, 2, 90])]
                case 2: body[at:at] = dice.randbytes(dice.choice([1, 2, 90]))
                case 3: del body[at:]
                case 4: body += dice.choice([b"\r\n", b"0\r\n\r\n", b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"])
                case 5: body[at:at] = body[at:at + dice.choice([4, 66, 8200])]
            if not body:
                body = bytearray(b"0")
        with RawConnection(gate.port) as connection:
            connection.request("PUT", chunked.path, chunked.headers, bytes(body))
            status, _, text = connection.answer()
        outcomes[status] = outcomes.get(status, 0) + 1
        assert status in (200, 400, 403), (number, status, text)
        if status == 200:
            assert north_s3.get_object(Bucket="photos", Key=key)["Body"].read() == data, number
        else:
            assert is_absent(north_s3, key), number
    assert outcomes[400] + outcomes[403] > 250
