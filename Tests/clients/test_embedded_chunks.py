"""The embedded store behind Gatehouse keeps the checksum that a client gives, whichever way it gives it."""

import io
import os

import boto3
import botocore.httpchecksum as httpchecksum
import pytest
from botocore.exceptions import ClientError

from support.authority import Authority
from support.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, ChunkedPut
from support.people import FULL, ROOT

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
# On either side of what is held back until it is known to be right (16 KiB) and of what is read whole (64 KiB).
SIZES = [0, 1, 16_384, 16_385, 70_000, (5 << 20) + 1]


def digest(algorithm, data):
    check = httpchecksum._CHECKSUM_CLS[algorithm.lower()]()
    check.update(data)
    return check.b64digest()


def put(gate, key, data, form, algorithm="CRC32", **headers):
    chunked = ChunkedPut(gate.endpoint, f"/local/{key}", data, form, FULL.access_key, FULL.secret_key,
                         trailer=f"x-amz-checksum-{algorithm.lower()}", headers=headers, checksum=digest(algorithm, data))
    return chunked


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_trailer_s_checksum_is_told_kept_and_given_back(gate, s3, form, algorithm, size):
    """Without x-amz-sdk-checksum-algorithm: S3 knows the algorithm from the trailer, and so must the store."""
    data, key, field = os.urandom(size), f"chunks/{form}-{algorithm}-{size}", f"Checksum{algorithm}"
    answer = put(gate, key, data, form, algorithm, **{"x-amz-meta-a": "b"}).send(gate)
    assert answer.status == 200, answer
    assert answer.headers[f"x-amz-checksum-{algorithm.lower()}"] == digest(algorithm, data)
    assert [name for name in answer.headers if name.lower().startswith("x-amz-checksum-")] == [
        f"x-amz-checksum-{algorithm.lower()}", "x-amz-checksum-type"]
    got = s3.get_object(Bucket="local", Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == data and got.get("ContentEncoding", "") == "" and got["Metadata"] == {"a": "b"}
    assert (got[field], got["ChecksumType"]) == (digest(algorithm, data), "FULL_OBJECT")
    told = {name for name in got if name.startswith("Checksum")}
    assert told == {field, "ChecksumType"}
    attributes = s3.get_object_attributes(Bucket="local", Key=key, ObjectAttributes=["Checksum"])
    assert attributes["Checksum"] == {field: digest(algorithm, data), "ChecksumType": "FULL_OBJECT"}


@pytest.mark.parametrize("size", SIZES)
def test_signed_chunks_without_a_trailer(gate, s3, size):
    data, key = os.urandom(size), f"chunks/signed-{size}"
    assert put(gate, key, data, SIGNED).send(gate).status == 200
    got = s3.get_object(Bucket="local", Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == data
    assert got["ChecksumCRC64NVME"] == digest("CRC64NVME", data)


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("size", [100, 300_000])
def test_a_spoiled_body_is_not_kept(gate, s3, form, size):
    chunked = put(gate, f"chunks/spoiled-{form}-{size}", os.urandom(size), form)
    body = bytearray(chunked.body)
    body[body.index(b"\r\n") + 5] ^= 1
    answer = chunked.send(gate, bytes(body))
    assert answer.s3_code == ("BadDigest" if form == UNSIGNED_TRAILER else "SignatureDoesNotMatch"), answer
    with pytest.raises(ClientError) as missing:
        s3.head_object(Bucket="local", Key=f"chunks/spoiled-{form}-{size}")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parts_with_trailers_make_an_object_with_a_checksum(gate, s3, algorithm):
    field, bodies = f"Checksum{algorithm}", [os.urandom(5 << 20), os.urandom((5 << 20) + 9), os.urandom(7)]
    where = {"Bucket": "local", "Key": f"chunks/parts-{algorithm}"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm=algorithm)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = put(gate, f"{where['Key']}?partNumber={number}&uploadId={upload}", body,
                     [SIGNED_TRAILER, UNSIGNED_TRAILER][number % 2], algorithm).send(gate)
        assert answer.status == 200, answer
        assert answer.headers[f"x-amz-checksum-{algorithm.lower()}"] == digest(algorithm, body)
        parts.append({"PartNumber": number, "ETag": answer.headers["etag"], field: digest(algorithm, body)})
    listed = s3.list_parts(**where, UploadId=upload)["Parts"]
    assert [part[field] for part in listed] == [part[field] for part in parts]
    done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    got = s3.get_object(**where, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(bodies) and got[field] == done[field]
    if algorithm == "CRC64NVME":
        assert got[field] == digest(algorithm, b"".join(bodies))
    else:
        assert got[field].endswith("-3")


def test_a_caller_with_an_api_key_too(gate, s3):
    """minio-py, Go and Rust programs without x-amz-sdk-checksum-algorithm, over whatever authenticates them."""
    data = os.urandom(100_000)
    chunked = ChunkedPut(gate.endpoint, "/local/chunks/by-key", data, UNSIGNED_TRAILER, None, None)
    chunked.headers.update(ROOT.headers)
    assert chunked.send(gate).status == 200
    got = s3.get_object(Bucket="local", Key="chunks/by-key", ChecksumMode="ENABLED")
    assert got["Body"].read() == data and got["ChecksumCRC32"] == digest("CRC32", data)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("algorithm", [None, *ALGORITHMS])
def test_boto3_in_its_default_settings(gateway, tmp_path, secure, algorithm):
    folder = tmp_path / "embedded"
    (folder / "files").mkdir(parents=True)
    Authority().write(folder)
    tls = {"certificate": "file:tls.crt", "private_key": "file:tls.key"}
    gate = gateway({
        **({"server": {"tls": tls}} if secure else {}),
        "buckets": [{"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}}],
        "credentials": [FULL.entry([{"bucket": "*", "prefixes": [], "actions": ["*"]}])],
    }, name="embedded", **({"tls": folder / "ca.crt"} if secure else {}))
    client = boto3.session.Session().client(
        "s3", endpoint_url=gate.endpoint, region_name="us-east-1", aws_access_key_id=FULL.access_key,
        aws_secret_access_key=FULL.secret_key, **({"verify": str(folder / "ca.crt")} if secure else {}))
    field = f"Checksum{algorithm or 'CRC32'}"
    named = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    for size in (0, 5, 40_000, 200_000):
        data = os.urandom(size)
        written = client.put_object(Bucket="local", Key="k", Body=data, **named)
        assert written[field] == digest(algorithm or "CRC32", data)
        got = client.get_object(Bucket="local", Key="k", ChecksumMode="ENABLED")
        assert got["Body"].read() == data and got[field] == written[field] and "ContentEncoding" not in got
    large = os.urandom(17 << 20)
    client.upload_fileobj(io.BytesIO(large), "local", "large", ExtraArgs=named)
    got = client.get_object(Bucket="local", Key="large", ChecksumMode="ENABLED")
    assert got["Body"].read() == large
    assert field in got
