"""boto3 as it comes: its own checksums, its own framing, its own presigning."""

import base64
import datetime
import hashlib
import io
import urllib.error
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from record import BOTH, case
from support.nasty_keys import NASTY_KEYS

MIB = 1 << 20
ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
SIZES = {"0 B": 0, "1 B": 1, "5 MiB-1": 5 * MIB - 1, "5 MiB": 5 * MIB, "5 MiB+1": 5 * MIB + 1}
KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata",
        "ContentLength", "ETag", "ExpiresString", "TagCount", "PartsCount", "AcceptRanges", "ContentRange",
        "StorageClass", "ServerSideEncryption", "ChecksumType", *(f"Checksum{name}" for name in ALGORITHMS))

_clients = {}


def client(place, config=None):
    made = (place, config is None)
    if made not in _clients:
        _clients[made] = boto3.session.Session().client(
            "s3", endpoint_url=place.endpoint, region_name="us-east-1", aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key, verify=str(place.authority), config=config,
        )
    return _clients[made]


def once(place):
    """Without boto3's retries: it waits half a minute before it believes that a checksum is wrong."""
    return client(place, Config(retries={"max_attempts": 0}))


def listed_under(place, prefix):
    return client(place).list_objects_v2(Bucket=place.bucket, Prefix=prefix).get("Contents", [])


def body_of(size, salt=b""):
    """Bytes that are the same in every run and never repeat within a buffer."""
    block = b"".join(hashlib.sha256(salt + n.to_bytes(4, "big")).digest() for n in range(4096))
    return (block * (size // len(block) + 1))[:size]


def kept(answer):
    return {name: answer[name] for name in KEPT if name in answer}


def at(place, key):
    return {"Bucket": place.bucket, "Key": key}


def fetched(url, method="GET", data=None, headers=None, place=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=120, context=place.tls if place.scheme == "https" else None) as got:
            return [got.status, got.read().decode(errors="replace")]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode(errors="replace").partition("<Code>")[2].partition("</Code>")[0]]


for _name, _size in SIZES.items():
    @case(f"boto3/put {_name}", _size, schemes=BOTH)
    def put(place, size):
        body, where = body_of(size), at(place, f"boto3/size {size}")
        written = client(place).put_object(**where, Body=body, ContentType="text/x-size")
        got = client(place).get_object(**where)
        return {"put": kept(written), "same": got["Body"].read() == body, "get": kept(got)}


@case("boto3/upload_file 64 MiB", schemes=BOTH)
def upload_file(place):
    key, body = "boto3/64 MiB", body_of(64 * MIB)
    client(place).upload_fileobj(io.BytesIO(body), place.bucket, key, ExtraArgs={"ContentType": "text/x-large"})
    back = io.BytesIO()
    client(place).download_fileobj(place.bucket, key, back)
    return {"same": back.getvalue() == body, "head": kept(client(place).head_object(**at(place, key)))}


@case("boto3/upload without a length", schemes=BOTH)
def upload_stream(place):
    class Stream(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def read(self, size=-1):
            return self.data.read(size)

    key, body = "boto3/stream", body_of(9 * MIB)
    client(place).upload_fileobj(Stream(body), place.bucket, key)
    return {"same": client(place).get_object(**at(place, key))["Body"].read() == body}


for _algorithm in ALGORITHMS:
    @case(f"boto3/checksum {_algorithm}", _algorithm, schemes=BOTH)
    def checksum(place, algorithm):
        body, where = body_of(100_000), at(place, f"boto3/{algorithm}")
        written = client(place).put_object(**where, Body=body, ChecksumAlgorithm=algorithm, ContentType="text/x-sum")
        got = client(place).get_object(**where, ChecksumMode="ENABLED")
        return {"put": kept(written), "same": got["Body"].read() == body, "get": kept(got)}

    @case(f"boto3/checksum {_algorithm} of parts", _algorithm, schemes=BOTH)
    def checksum_of_parts(place, algorithm):
        bodies, where = [body_of(5 * MIB), body_of(1000)], at(place, f"boto3/parts {algorithm}")
        s3, field = client(place), f"Checksum{algorithm}"
        upload = s3.create_multipart_upload(**where, ChecksumAlgorithm=algorithm)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            done = s3.upload_part(
                **where, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
            parts.append({"PartNumber": number, "ETag": done["ETag"], **{k: done[k] for k in (field,) if k in done}})
        listed = s3.list_parts(**where, UploadId=upload)["Parts"]
        done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
        same = s3.get_object(**where)["Body"].read() == b"".join(bodies)
        return {"parts": parts, "listed": [kept(part) for part in listed], "done": kept(done), "same": same}

    @case(f"boto3/wrong checksum {_algorithm}", _algorithm, schemes=BOTH)
    def wrong_checksum(place, algorithm):
        sizes = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
        value = base64.b64encode(bytes(sizes[algorithm])).decode()
        try:
            once(place).put_object(
                **at(place, f"boto3/wrong {algorithm}"), Body=b"other bytes", **{f"Checksum{algorithm}": value})
        except ClientError as error:
            return {"refused": error.response["Error"]["Code"],
                    "there": bool(listed_under(place, f"boto3/wrong {algorithm}"))}
        return {"refused": None}


for _key in NASTY_KEYS:
    @case(f"key/{ascii(_key)[1:-1]}", _key)
    def nasty_key(place, key):
        s3, name, prefix = client(place), "keys/" + key, "keys/"
        if len(name.encode()) > 1024:
            name, prefix = key, key[:10]
        where = at(place, name)
        s3.put_object(**where, Body=name.encode())
        try:
            got = s3.get_object(**where)
            names = [entry["Key"] for entry in s3.list_objects_v2(Bucket=place.bucket, Prefix=prefix)["Contents"]]
            return {"same": got["Body"].read() == name.encode(), "listed": name in names}
        finally:
            s3.delete_object(**where)


@case("boto3/metadata", schemes=BOTH)
def metadata(place):
    given = {"plain": "a", "UPPER-Name": "B c", "empty": "", "equals": "a=b;c", "encoded": "=?UTF-8?B?w7w=?=",
             **{f"number-{n}": "v" * 40 for n in range(25)}}
    client(place).put_object(**at(place, "boto3/metadata"), Body=b"m", Metadata=given, ContentType="text/x-m")
    return kept(client(place).head_object(**at(place, "boto3/metadata")))


@case("boto3/headers", schemes=BOTH)
def headers(place):
    client(place).put_object(
        **at(place, "boto3/headers"), Body=b"h", CacheControl="public, max-age=60", ContentEncoding="gzip",
        ContentDisposition='attachment; filename="a b; \'c\'.txt"', ContentLanguage="de, en",
        ContentType='text/x-odd; q="1;2"', Expires=datetime.datetime(2031, 2, 3))
    got = client(place).get_object(**at(place, "boto3/headers"))
    return {**kept(got), "body": got["Body"].read().decode()}


@case("boto3/tags", schemes=BOTH)
def tags(place):
    s3, where = client(place), at(place, "boto3/tags")
    s3.put_object(**where, Body=b"t", Tagging="a=1&b=x%20y")
    first = s3.get_object_tagging(**where)["TagSet"]
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a b+c", "Value": "x y:/="}]})
    second, count = s3.get_object_tagging(**where)["TagSet"], kept(s3.get_object(**where))
    s3.delete_object_tagging(**where)
    return {"put": first, "replaced": second, "get": count, "deleted": s3.get_object_tagging(**where)["TagSet"]}


@case("boto3/tags with signs", schemes=BOTH)
def odd_tags(place):
    s3, where = client(place), at(place, "boto3/odd tags")
    s3.put_object(**where, Body=b"t")
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "ü &", "Value": "<日>"}]})
    return {"tags": s3.get_object_tagging(**where)["TagSet"]}


@case("boto3/no content type", schemes=BOTH)
def no_content_type(place):
    client(place).put_object(**at(place, "boto3/untyped"), Body=b"words")
    return {"type": client(place).head_object(**at(place, "boto3/untyped"))["ContentType"]}


@case("boto3/ranges", schemes=BOTH)
def ranges(place):
    where, shown = at(place, "boto3/ranges"), {}
    client(place).put_object(**where, Body=bytes(range(100)))
    for asked in ("bytes=0-0", "bytes=10-19", "bytes=90-", "bytes=-7", "bytes=95-400", "bytes=100-", "bytes=5-2"):
        try:
            got = client(place).get_object(**where, Range=asked)
            shown[asked] = [got["Body"].read().hex(), got.get("ContentRange")]
        except ClientError as error:
            shown[asked] = error.response["Error"]["Code"]
    return shown


@case("boto3/conditions", schemes=BOTH)
def conditions(place):
    s3, where, shown = client(place), at(place, "boto3/conditions"), {}
    s3.delete_object(**where)
    etag = s3.put_object(**where, Body=b"c", IfNoneMatch="*")["ETag"]
    for verb, given in (("get", {"IfMatch": etag}), ("get", {"IfMatch": '"0"'}), ("get", {"IfNoneMatch": etag}),
                        ("head", {"IfNoneMatch": etag}), ("put", {"IfNoneMatch": "*"}), ("put", {"IfMatch": '"0"'}),
                        ("put", {"IfMatch": etag})):
        options = {"Body": b"d"} if verb == "put" else {}
        try:
            answer = getattr(s3, f"{verb}_object")(**where, **options, **given)
            shown[f"{verb} {given}"] = answer["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            shown[f"{verb} {given}"] = [error.response["ResponseMetadata"]["HTTPStatusCode"],
                                        error.response["Error"]["Code"]]
    return shown


@case("boto3/listings", schemes=BOTH)
def listings(place):
    s3, base = client(place), "boto3/list/"
    names = ["a", "a b+c", "d/1", "d/2", "d/e/3", "ü", "x&y<z>", "z%41"]
    for name in names:
        s3.put_object(Bucket=place.bucket, Key=base + name, Body=b"1234")
    wanted = {"Bucket": place.bucket, "Prefix": base}
    pages = list(s3.get_paginator("list_objects_v2").paginate(**wanted, PaginationConfig={"PageSize": 3}))
    first = list(s3.get_paginator("list_objects").paginate(**wanted, PaginationConfig={"PageSize": 3}))
    folders = s3.list_objects_v2(**wanted, Delimiter="/")
    after = s3.list_objects_v2(**wanted, StartAfter=base + "d/1", FetchOwner=True)
    return {
        "v2": [[entry["Key"] for entry in page["Contents"]] for page in pages],
        "v1": [[entry["Key"] for entry in page["Contents"]] for page in first],
        "sizes": sorted({entry["Size"] for page in pages for entry in page["Contents"]}),
        "folders": [folders["CommonPrefixes"], [entry["Key"] for entry in folders["Contents"]], folders["KeyCount"]],
        "after": [entry["Key"] for entry in after["Contents"]],
        "owners": all("Owner" in entry for entry in after["Contents"]),
        "none": s3.list_objects_v2(Bucket=place.bucket, Prefix="nothing/").get("Contents"),
    }


@case("boto3/copies", schemes=BOTH)
def copies(place):
    s3, source = client(place), at(place, "boto3/copy +&ü source")
    s3.put_object(**source, Body=b"copied", Metadata={"a": "1"}, ContentType="text/x-a", Tagging="t=1")
    s3.copy_object(**at(place, "boto3/copy kept"), CopySource=source)
    s3.copy_object(**at(place, "boto3/copy new"), CopySource=source, MetadataDirective="REPLACE",
                   Metadata={"b": "2"}, ContentType="text/x-b", TaggingDirective="REPLACE", Tagging="u=2")
    return {name: [kept(s3.head_object(**at(place, f"boto3/copy {name}"))),
                   s3.get_object(**at(place, f"boto3/copy {name}"))["Body"].read().decode(),
                   s3.get_object_tagging(**at(place, f"boto3/copy {name}"))["TagSet"]] for name in ("kept", "new")}


@case("boto3/copy of parts", schemes=BOTH)
def copy_of_parts(place):
    s3, body = client(place), body_of(12 * MIB)
    s3.put_object(**at(place, "boto3/large source"), Body=body)
    config = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=6 * MIB)
    s3.copy(at(place, "boto3/large source"), place.bucket, "boto3/large copy", Config=config)
    got = s3.get_object(**at(place, "boto3/large copy"))
    return {"same": got["Body"].read() == body, "etag": got["ETag"]}


@case("boto3/deletes", schemes=BOTH)
def deletes(place):
    s3, names = client(place), [f"boto3/delete/{n} & <{n}> ü" for n in range(12)]
    for name in names:
        s3.put_object(**at(place, name), Body=b"x")
    s3.delete_object(**at(place, names[0]))
    gone = s3.delete_objects(
        Bucket=place.bucket, Delete={"Objects": [{"Key": name} for name in [*names[1:11], "boto3/never"]]})
    left = s3.list_objects_v2(Bucket=place.bucket, Prefix="boto3/delete/")["Contents"]
    again = s3.delete_object(**at(place, names[0]))["ResponseMetadata"]["HTTPStatusCode"]
    return {"gone": sorted(entry["Key"] for entry in gone["Deleted"]), "errors": gone.get("Errors"),
            "left": [entry["Key"] for entry in left], "again": again}


@case("boto3/presigned", schemes=BOTH)
def presigned(place):
    s3, where = client(place), at(place, "boto3/pre signed +&ü")
    put = s3.generate_presigned_url("put_object", Params=where)
    get = s3.generate_presigned_url("get_object", Params={**where, "ResponseContentType": "text/x-asked"})
    return {
        "version": "2" if "AWSAccessKeyId=" in get else "4",
        "put": fetched(put, "PUT", b"by url", {"Content-Type": ""}, place),
        "get": fetched(get, place=place),
        "wrong method": fetched(get, "DELETE", place=place),
        "changed": fetched(get.replace("pre%20signed", "other"), place=place),
    }


@case("boto3/presigned form", schemes=BOTH)
def presigned_form(place):
    form = client(place).generate_presigned_post(place.bucket, "boto3/form ${filename}")
    edge, lines = uuid.uuid4().hex, b""
    for name, value in form["fields"].items():
        lines += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    lines += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n'
              f"Content-Type: text/plain\r\n\r\nby form\r\n--{edge}--\r\n").encode()
    answer = fetched(form["url"], "POST", lines, {"Content-Type": f"multipart/form-data; boundary={edge}"}, place)
    return {"post": answer, "get": client(place).get_object(**at(place, "boto3/form f.txt"))["Body"].read().decode()}


@case("boto3/missing things", schemes=BOTH)
def missing(place):
    s3, shown = client(place), {}
    nowhere = {"Bucket": "no-such-bucket-at-all", "Key": "k"}
    for name, ask in (
        ("get", lambda: s3.get_object(**at(place, "boto3/none"))),
        ("head", lambda: s3.head_object(**at(place, "boto3/none"))),
        ("tags", lambda: s3.get_object_tagging(**at(place, "boto3/none"))),
        ("copy", lambda: s3.copy_object(**at(place, "boto3/no"), CopySource=at(place, "boto3/none"))),
        ("parts", lambda: s3.list_parts(**at(place, "boto3/none"), UploadId="0" * 32)),
        ("bucket", lambda: s3.get_object(**nowhere)), ("head bucket", lambda: s3.head_bucket(Bucket=nowhere["Bucket"])),
    ):
        try:
            shown[name] = ask()["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            shown[name] = [error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]]
    return shown
