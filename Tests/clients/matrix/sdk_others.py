"""minio-py and s3fs as they come."""

import datetime
import io

import minio
import s3fs
import urllib3
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject

from record import BOTH, case
from sdk_boto3 import MIB, SIZES, body_of, fetched


def mini(place):
    pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=str(place.authority))
    return minio.Minio(endpoint=place.host, access_key=place.access_key, secret_key=place.secret_key,
                       secure=place.scheme == "https", region="us-east-1", http_client=pool)


def read(client, place, key, **options):
    answer = client.get_object(bucket_name=place.bucket, object_name=key, **options)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


for _name, _size in {**SIZES, "64 MiB": 64 * MIB}.items():
    @case(f"minio-py/put {_name}", _size, schemes=BOTH if _size < MIB else ("http",))
    def put(place, size):
        client, key, body = mini(place), f"minio/{size}", body_of(size)
        written = client.put_object(
            bucket_name=place.bucket, object_name=key, data=io.BytesIO(body), length=size,
            content_type="text/x-m", part_size=16 * MIB)
        return {"same": read(client, place, key) == body, "etag": written.etag}


@case("minio-py/put without a length", schemes=BOTH)
def put_stream(place):
    client, body = mini(place), body_of(6 * MIB)
    client.put_object(bucket_name=place.bucket, object_name="minio/stream", data=io.BytesIO(body), length=-1,
                      part_size=5 * MIB)
    stat = client.stat_object(bucket_name=place.bucket, object_name="minio/stream")
    return {"same": read(client, place, "minio/stream") == body, "etag": stat.etag, "size": stat.size}


@case("minio-py/metadata, tags and ranges")
def metadata(place):
    client, tags = mini(place), Tags.new_object_tags()
    tags["colour"] = "blue"
    where = {"bucket_name": place.bucket, "object_name": "minio/meta +ü"}
    client.put_object(**where, data=io.BytesIO(b"0123456789"), length=10, metadata={"One": "1", "empty": ""},
                      tags=tags)
    stat = client.stat_object(**where)
    shown = {name.lower(): value for name, value in stat.metadata.items() if name.lower().startswith("x-amz-meta-")}
    return {"metadata": shown, "type": stat.content_type, "tags": dict(client.get_object_tags(**where) or {}),
            "range": read(client, place, where["object_name"], offset=3, length=4).decode()}


@case("minio-py/copy, compose, list and remove")
def copies(place):
    client = mini(place)
    for name, size in (("one", 5 * MIB), ("two", 100)):
        client.put_object(bucket_name=place.bucket, object_name=f"minio/c/{name}", data=io.BytesIO(body_of(size)),
                          length=size)
    source = {"bucket_name": place.bucket, "object_name": "minio/c/one"}
    client.copy_object(bucket_name=place.bucket, object_name="minio/c/copy", source=CopySource(**source))
    client.compose_object(bucket_name=place.bucket, object_name="minio/c/both", sources=[
        ComposeSource(**source), ComposeSource(bucket_name=place.bucket, object_name="minio/c/two")])
    same = read(client, place, "minio/c/both") == body_of(5 * MIB) + body_of(100)

    def names():
        return [[entry.object_name, entry.size] for entry in
                client.list_objects(bucket_name=place.bucket, prefix="minio/c/", recursive=True)]

    listed = names()
    errors = list(client.remove_objects(bucket_name=place.bucket, delete_object_list=[
        DeleteObject(name) for name, _ in listed]))
    return {"same": same, "listed": listed, "errors": [error.code for error in errors], "left": names()}


@case("minio-py/presigned", schemes=BOTH)
def presigned(place):
    client, where = mini(place), {"bucket_name": place.bucket, "object_name": "minio/pre signed"}
    minute = datetime.timedelta(minutes=1)
    put = fetched(client.presigned_put_object(**where, expires=minute), "PUT", b"by url", {"Content-Type": ""}, place)
    return {"put": put, "get": fetched(client.presigned_get_object(**where, expires=minute), place=place)}


def files(place):
    return s3fs.S3FileSystem(
        key=place.access_key, secret=place.secret_key, endpoint_url=place.endpoint, skip_instance_cache=True,
        use_listings_cache=False,
        client_kwargs={"region_name": "us-east-1", "verify": str(place.authority)})


for _name, _size in {**SIZES, "64 MiB": 64 * MIB}.items():
    @case(f"s3fs/write {_name}", _size, schemes=BOTH)
    def write(place, size):
        fs, path, body = files(place), f"{place.bucket}/s3fs/{size}", body_of(size)
        with fs.open(path, "wb") as target:
            target.write(body)
        with fs.open(path, "rb") as source:
            same = source.read() == body
        return {"same": same, "size": fs.info(path)["size"], "etag": fs.info(path)["ETag"]}


@case("s3fs/as a file system", schemes=BOTH)
def file_system(place):
    fs, base = files(place), f"{place.bucket}/s3fs tree"
    for name in ("a.txt", "b +c.txt", "deep/er/d.txt", "ü.bin"):
        fs.pipe(f"{base}/{name}", name.encode())
    fs.cp(f"{base}/a.txt", f"{base}/copied.txt")
    fs.mv(f"{base}/b +c.txt", f"{base}/moved.txt")
    shown = {
        "found": fs.find(base), "globbed": fs.glob(f"{base}/*.txt"), "listed": sorted(fs.ls(base)),
        "walked": [[path, sorted(folders), sorted(names)] for path, folders, names in fs.walk(base)],
        "cat": fs.cat(f"{base}/moved.txt").decode(), "part": fs.cat_file(f"{base}/deep/er/d.txt", start=2, end=7).decode(),
        "exists": [fs.exists(f"{base}/a.txt"), fs.exists(f"{base}/none"), fs.isdir(f"{base}/deep")],
    }
    fs.rm(base, recursive=True)
    return {**shown, "left": fs.find(base)}
