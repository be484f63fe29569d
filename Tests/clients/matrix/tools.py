"""aws, s5cmd and curl as they come."""

import hashlib
import json
import shutil

from record import BOTH, case
from sdk_boto3 import MIB, SIZES, body_of
from support.clients import run

LARGE = {**SIZES, "64 MiB": 64 * MIB}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_of(place, name, size):
    path = place.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body_of(size))
    return path


@case("aws/cp of a file of 64 MiB", schemes=BOTH)
def aws_large(place):
    source, back = file_of(place, "aws-large", 64 * MIB), place.folder / "aws-large-back"
    place.tool("aws", "s3", "cp", "--quiet", source, f"s3://{place.bucket}/aws/large")
    place.tool("aws", "s3", "cp", "--quiet", f"s3://{place.bucket}/aws/large", back)
    return {"same": digest(source) == digest(back)}


@case("aws/sync of odd names", schemes=BOTH)
def aws_sync(place):
    tree, back = place.folder / "aws-tree", place.folder / "aws-back"
    for name, size in (("empty", 0), ("one", 1), ("deep/a b+c&ü.txt", 10)):
        file_of(place, f"aws-tree/{name}", size)
    place.tool("aws", "s3", "sync", "--quiet", tree, f"s3://{place.bucket}/aws/tree/")
    place.tool("aws", "s3", "sync", "--quiet", f"s3://{place.bucket}/aws/tree/", back)
    files = {str(path.relative_to(tree)): digest(path) for path in tree.rglob("*") if path.is_file()}
    got = {str(path.relative_to(back)): digest(path) for path in back.rglob("*") if path.is_file()}
    return {"same": files == got}


@case("aws/cp with headers, mv, ls and rm", schemes=BOTH)
def aws_moves(place):
    source, base = file_of(place, "aws-small", 5), f"s3://{place.bucket}/aws/moves"
    place.tool("aws", "s3", "cp", "--quiet", source, f"{base}/a b.txt", "--content-type", "text/x-a",
               "--cache-control", "no-store", "--metadata", "one=1", "--content-disposition", "inline")
    place.tool("aws", "s3", "mv", "--quiet", f"{base}/a b.txt", f"{base}/moved.txt")
    head = json.loads(place.tool("aws", "s3api", "head-object", "--bucket", place.bucket, "--key",
                                 "aws/moves/moved.txt", "--output", "json"))
    listed = [line.split()[2:] for line in place.tool("aws", "s3", "ls", "--recursive", f"{base}/").splitlines()]
    place.tool("aws", "s3", "rm", "--quiet", "--recursive", f"{base}/")
    return {"head": {name: value for name, value in head.items() if name != "LastModified"}, "listed": listed}


@case("aws/presign", schemes=BOTH)
def aws_presign(place):
    source = file_of(place, "aws-presigned", 7)
    place.tool("aws", "s3", "cp", "--quiet", source, f"s3://{place.bucket}/aws/presigned")
    url = place.tool("aws", "s3", "presign", f"s3://{place.bucket}/aws/presigned").strip()
    back = place.folder / "aws-presigned-back"
    done = run([shutil.which("curl"), "-sS", "--cacert", place.authority, "-o", back, "-w", "%{http_code}", url])
    return {"version": "2" if "AWSAccessKeyId=" in url else "4", "status": done.stdout,
            "same": digest(source) == digest(back)}


for _name, _size in LARGE.items():
    @case(f"s5cmd/cp {_name}", _size, schemes=BOTH if _size < MIB else ("http",))
    def s5_copy(place, size):
        source, back = file_of(place, f"s5-{size}", size), place.folder / f"s5-{size}-back"
        check = () if place.scheme == "http" else ("--no-verify-ssl",)
        place.tool("s5cmd", *check, "cp", source, f"s3://{place.bucket}/s5/{size}")
        place.tool("s5cmd", *check, "cp", f"s3://{place.bucket}/s5/{size}", back)
        return {"same": digest(source) == digest(back)}


@case("s5cmd/many files: cp, ls, mv, du, rm")
def s5_many(place):
    for n in range(30):
        file_of(place, f"s5-many/file-{n:02}", 1000 + n)
    base = f"s3://{place.bucket}/s5/many"
    place.tool("s5cmd", "cp", f"{place.folder}/s5-many/", f"{base}/")
    place.tool("s5cmd", "mv", f"{base}/file-00", f"{base}/moved")
    place.tool("s5cmd", "cp", f"{base}/*", f"{place.folder}/s5-many-back/")
    listed = [line.split()[2:] for line in place.tool("s5cmd", "ls", f"{base}/*").splitlines()]
    shown = {"listed": listed, "du": place.tool("s5cmd", "du", f"{base}/*"),
             "same": digest(place.folder / "s5-many/file-07") == digest(place.folder / "s5-many-back/file-07")}
    place.tool("s5cmd", "rm", f"{base}/*")
    return shown


@case("s5cmd/mv of a name with a space")
def s5_space(place):
    source, base = file_of(place, "s5-space", 10), f"s3://{place.bucket}/s5/space"
    place.tool("s5cmd", "cp", source, f"{base}/a b")
    place.tool("s5cmd", "mv", f"{base}/a b", f"{base}/c")
    return {"listed": [line.split()[2:] for line in place.tool("s5cmd", "ls", f"{base}/*").splitlines()]}


def curl(place, *arguments):
    # Before version 8, curl's own signature leaves out the header that S3 requires.
    done = run([shutil.which("curl"), "-sS", "--max-time", "60", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user",
                f"{place.access_key}:{place.secret_key}", "--cacert", place.authority,
                "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-w", "%{http_code}", *arguments])
    return done.stdout + done.stderr


for _name, _size in LARGE.items():
    @case(f"curl/put and get {_name}", _size, schemes=BOTH if _size < MIB else ("http",))
    def curl_size(place, size):
        source, back = file_of(place, f"curl-{size}", size), place.folder / f"curl-{size}-back"
        put = curl(place, "-T", source, place.url(f"curl/{size}"))
        got = curl(place, "-o", back, place.url(f"curl/{size}"))
        return {"put": put, "get": got, "same": digest(source) == digest(back)}


@case("curl/range, head, listing, metadata and delete", schemes=BOTH)
def curl_others(place):
    source, url = file_of(place, "curl-file", 100), place.url("curl/a%20b%2Bc")
    shown = {"put": curl(place, "-T", source, "-H", "x-amz-meta-one: 1", "-H", "Content-Type: text/x-c", url)}
    shown["range"] = [curl(place, "-r", "10-19", "-o", place.folder / "part", url), digest(place.folder / "part")]
    head = [line.lower() for line in curl(place, "-I", url).splitlines()]
    shown["head"] = sorted(line for line in head if line.startswith(("x-amz-meta-", "content-", "etag", "accept-")))
    shown["listed"] = "<Key>curl/a b+c</Key>" in curl(place, place.url().rstrip("/") + "?prefix=curl/a")
    shown["deleted"] = [curl(place, "-X", "DELETE", url), curl(place, "-o", "/dev/null", url)]
    return shown
