"""Copies between stores that can't reach each other: carried by the gateway, in every direction."""

import base64
import hashlib
import http.client
import io
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


@pytest.mark.parametrize("source, destination", [("photos", "logs"), ("photos", "local"), ("local", "logs")])
def test_tags_go_along_or_are_replaced(any_s3, source, destination):
    any_s3.put_object(Bucket=source, Key="copies/tagged", Body=b"x", Tagging="team=a%20b&stage=one")
    origin = {"Bucket": source, "Key": "copies/tagged"}
    any_s3.copy_object(Bucket=destination, Key="copies/tagged", CopySource=origin)
    kept = any_s3.get_object_tagging(Bucket=destination, Key="copies/tagged")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in kept) == [("stage", "one"), ("team", "a b")]
    any_s3.copy_object(
        Bucket=destination, Key="copies/retagged", CopySource=origin, TaggingDirective="REPLACE", Tagging="other=2"
    )
    replaced = any_s3.get_object_tagging(Bucket=destination, Key="copies/retagged")["TagSet"]
    assert [(tag["Key"], tag["Value"]) for tag in replaced] == [("other", "2")]


def test_checksums_are_asked_for_and_carried(any_s3):
    body = os.urandom(100 * KIB)
    wanted = base64.b64encode(hashlib.sha256(body).digest()).decode()
    any_s3.put_object(Bucket="local", Key="copies/summed", Body=body, ChecksumSHA256=wanted)
    answer = any_s3.copy_object(
        Bucket="logs", Key="copies/summed", CopySource={"Bucket": "local", "Key": "copies/summed"}
    )
    assert answer["CopyObjectResult"]["ChecksumSHA256"] == wanted
    any_s3.put_object(Bucket="photos", Key="copies/unsummed", Body=body)
    answer = any_s3.copy_object(
        Bucket="local", Key="copies/unsummed", CopySource={"Bucket": "photos", "Key": "copies/unsummed"},
        ChecksumAlgorithm="SHA256",
    )
    assert answer["CopyObjectResult"]["ChecksumSHA256"] == wanted


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
    any_s3.upload_fileobj(io.BytesIO(body), source, "copies/large")
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


# Bad days, with scripted stores at either end.


USER = {"x-api-key": "copier-api-key-5d41402abc4b2a76b9719d91"}
GUEST = {"x-api-key": "guest-api-key-7d793037a0760186574b0282"}


def scripted(gateway, source, destination, server=None):
    """A gateway between two scripted stores: `from` and `into`."""
    return gateway({
        "server": server or {},
        "accounts": [
            {"name": name, "backend_type": "s3", "buckets": [bucket],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1", "connect_timeout": "20s",
                                 "response_timeout": "60s"}}
            for name, bucket, store in (("one", "from", source), ("two", "into", destination))
        ],
        "users": [
            {"name": "copier", "api_key": USER["x-api-key"], "role": "user", "allowed_buckets": ["from", "into"]},
            {"name": "guest", "api_key": GUEST["x-api-key"], "role": "user", "allowed_buckets": ["into"]},
            {"name": "watcher", "api_key": "watcher-key-0123456789", "role": "readonly",
             "allowed_buckets": ["from", "into"]},
        ],
    })


def source_of(body, get=None, **fields):
    """A store with one object. `get` answers instead of the whole."""
    headers = [("ETag", '"e"'), ("Last-Modified", "Sun, 15 Jun 2025 15:06:40 GMT"), *fields.items()]

    def answer(seen):
        if seen.method == "HEAD":
            return response(headers=[*headers, ("Content-Length", str(len(body)))], length=False)
        if get:
            return get(seen)
        wanted = seen.header("range")
        if not wanted:
            return response(headers=headers, body=body)
        first, last = (int(end) for end in wanted.removeprefix("bytes=").split("-"))
        told = [("Content-Range", f"bytes {first}-{last}/{len(body)}")]
        return response(206, headers + told, body[first:last + 1])

    return answer


def written(seen):
    return response(headers=[("ETag", '"written"')])


def copy(gate, headers=USER, target="/into/copy", source="/from/object", timeout=120, **more):
    return gate.request(
        "PUT", target, {**headers, "Accept": "application/xml", "x-amz-copy-source": source, **more}, timeout=timeout
    )


def finished(store, method):
    return [seen for seen in store.seen if seen.method == method and seen.complete]


def unfinished(store, method):
    return [seen for seen in store.seen if seen.method == method and not seen.complete]


@pytest.mark.parametrize("headers, status", [(GUEST, 403), ({"x-api-key": "watcher-key-0123456789"}, 403), ({}, 403)])
def test_what_is_denied_at_either_end_reaches_neither_store(gateway, stub_store, headers, status):
    source, destination = stub_store(source_of(b"secret")), stub_store(written)
    gate = scripted(gateway, source, destination)
    # By then they have been asked what stores they are.
    assert eventually(lambda: source.probes and destination.probes)
    # Their ports may have been somebody else's a moment ago, to whom another process still tries to connect.
    before = (source.connections, destination.connections)
    assert copy(gate, headers).status == status
    assert copy(gate, headers, "/into/copy?partNumber=1&uploadId=u").status == status
    assert (source.seen, destination.seen) == ([], [])
    assert (source.connections, destination.connections) == before


def test_both_ends_are_written_down(gateway, stub_store):
    gate = scripted(gateway, stub_store(source_of(b"x")), stub_store(written))
    assert copy(gate, source="/from/dir/a%20b").status == 200
    lines = eventually(lambda: [line for line in gate.audit_log() if line.get("action") == "copy_object"])
    assert (lines[0]["bucket"], lines[0]["key"]) == ("into", "copy")
    assert lines[0]["copied_from"] == {"bucket": "from", "key": "dir/a b"}
    access = eventually(lambda: [line for line in gate.access_log() if line["operation"] == "copy_object"])
    assert access[0]["copied_from"] == "from/dir/a b"


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("place", ["/into/copy", "/into/copy?partNumber=1&uploadId=u"])
def test_source_that_dies_within_its_body_commits_nothing(gateway, stub_store, how, place):
    body = os.urandom(2 * MIB)
    arrived = threading.Event()

    def get(seen):
        whole = response(headers=[("ETag", '"e"')], body=body)
        yield whole[:MIB]
        arrived.wait(240)
        if how == "reset":
            yield RESET

    source, destination = stub_store(source_of(body, get)), stub_store(written)
    source.close_after_answer = True
    destination.early = lambda seen: arrived.set() or b""
    gate = scripted(gateway, source, destination)
    answer = copy(gate, target=place)
    assert (answer.status, answer.s3_code) == (502, "BackendBadAnswer")
    assert eventually(lambda: unfinished(destination, "PUT"))
    assert finished(destination, "PUT") == []


@pytest.mark.parametrize("size", [10, 100 * KIB, 2 * MIB])
def test_bytes_that_differ_from_the_sources_checksum_are_not_committed(gateway, stub_store, size):
    body = os.urandom(size)
    claimed = {"x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
               "x-amz-checksum-type": "FULL_OBJECT"}
    destination = stub_store(written)
    gate = scripted(gateway, stub_store(source_of(body, **claimed)), destination)
    answer = copy(gate)
    assert (answer.status, answer.s3_code) == (502, "BackendBadAnswer")
    time.sleep(0.3)
    assert finished(destination, "PUT") == []


def test_source_that_changed_since_it_was_described_is_not_copied(gateway, stub_store):
    source = stub_store(source_of(b"first", lambda seen: s3_error(412, "PreconditionFailed")))
    destination = stub_store(written)
    gate = scripted(gateway, source, destination)
    answer = copy(gate)
    assert (answer.status, answer.s3_code) == (409, "OperationAborted")
    assert [seen.header("if-match") for seen in source.seen] == [None, '"e"']
    assert destination.seen == []


@pytest.mark.parametrize("status, code", [(403, "AccessDenied"), (400, "EntityTooLarge"), (503, "SlowDown")])
def test_destination_that_refuses_before_it_has_the_body_is_heard(gateway, stub_store, status, code):
    body = os.urandom(8 * MIB)
    source, destination = stub_store(source_of(body)), stub_store()
    destination.early = lambda seen: s3_error(status, code)
    destination.answer = lambda seen: None
    gate = scripted(gateway, source, destination)
    answer = copy(gate)
    assert (answer.status, answer.s3_code) == (status, code)


@pytest.fixture
def behind_proxies(gateway, fault_proxy, north, south):
    """Makes (gateway, proxy before the source in the north, proxy before the destination in the south)."""

    def make(server=None, **options):
        ends = fault_proxy(north.port), fault_proxy(south.port)
        stores = [Behind(proxy, store) for proxy, store in zip(ends, (north, south))]
        return gateway({**config(*stores, **options), "server": server or {}}), *ends

    return make


@pytest.fixture(scope="module")
def sizeable(north_s3):
    body = os.urandom(24 * MIB)
    north_s3.put_object(Bucket="photos", Key="copies/sizeable", Body=body)
    return {"Bucket": "photos", "Key": "copies/sizeable"}, body


def is_absent(client, bucket, key):
    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    return False


def test_destination_that_dies_within_the_body_cuts_the_source(behind_proxies, sizeable, south_s3):
    gate, before_source, before_destination = behind_proxies()
    origin, body = sizeable
    before_destination.behave(reset_upload_after=4 * MIB)
    with pytest.raises(ClientError) as error:
        client_of(gate).copy_object(Bucket="logs", Key="copies/reset", CopySource=origin)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert eventually(lambda: before_source.open_connections == 0)
    assert before_source.bytes_down < len(body)
    assert is_absent(south_s3, "logs", "copies/reset")
    before_destination.behave()
    client_of(gate).copy_object(Bucket="logs", Key="copies/after", CopySource=origin)
    assert south_s3.get_object(Bucket="logs", Key="copies/after")["Body"].read() == body


def test_slow_destination_slows_the_source_and_is_given_up(behind_proxies, sizeable, south_s3):
    gate, before_source, before_destination = behind_proxies({"body_idle_timeout": "2s"}, response_timeout="3s")
    origin, body = sizeable
    before = gate.process.resident_bytes()
    before_destination.behave(stop_reading=True)
    with pytest.raises(ClientError) as error:
        client_of(gate).copy_object(Bucket="logs", Key="copies/slow", CopySource=origin)
    assert error.value.response["Error"]["Code"] == "BackendTimeout"
    # What kernels and proxies hold between the ends, but not the object.
    assert before_source.bytes_down < len(body)
    assert gate.process.resident_bytes() - before < 12 * MIB
    before_destination.behave()
    assert is_absent(south_s3, "logs", "copies/slow")


def leave(gate, headers, target, source, when):
    """Sends a copy and goes once `when` holds."""
    with RawConnection(gate.port) as connection:
        connection.request("PUT", target, {**headers, "x-amz-copy-source": source, "Content-Length": "0"})
        assert eventually(when)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def trickle(body):
    def get(seen):
        whole = response(headers=[("ETag", '"e"')], body=body)
        for start in range(0, len(whole), 64 * KIB):
            yield whole[start:start + 64 * KIB]
            time.sleep(0.05)

    return get


def test_client_that_leaves_takes_both_ends_along(gateway, stub_store):
    arrived = threading.Event()
    body = os.urandom(16 * MIB)
    source, destination = stub_store(source_of(body, trickle(body))), stub_store(written)
    destination.early = lambda seen: arrived.set() or b""
    gate = scripted(gateway, source, destination)
    leave(gate, USER, "/into/copy", "/from/object", arrived.is_set)
    assert eventually(lambda: unfinished(destination, "PUT"))
    assert finished(destination, "PUT") == []


def multipart_destination(part):
    def answer(seen):
        if seen.method == "POST" and "uploads" in seen.target:
            return response(body=b"<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>")
        if seen.method == "PUT":
            return part(seen)
        return response(204, length=False)

    return answer


def test_parts_of_a_copy_that_nobody_waits_for_are_taken_back(gateway, stub_store):
    started = threading.Event()
    length = 65 * MIB

    def answer(seen):
        if seen.method == "HEAD":
            return response(headers=[("ETag", '"e"'), ("Content-Length", str(length))], length=False)
        return part(seen)

    def part(seen):
        yield response(
            206, [("ETag", '"e"'), ("Content-Range", f"bytes 0-{64 * MIB - 1}/{length}"),
                  ("Content-Length", str(64 * MIB))], length=False,
        )
        for _ in range(200):
            yield bytes(64 * KIB)
            started.set()
            time.sleep(0.05)

    destination = stub_store(multipart_destination(written))
    gate = scripted(gateway, stub_store(answer), destination)
    leave(gate, USER, "/into/copy", "/from/object", started.is_set)
    assert eventually(lambda: [seen.target for seen in finished(destination, "DELETE")] == ["/into/copy?uploadId=up"])
    assert finished(destination, "PUT") == []


def test_parts_of_a_copy_that_fails_are_taken_back(gateway, stub_store):
    destination = stub_store(multipart_destination(lambda seen: None))
    destination.early = lambda seen: s3_error(500, "InternalError") if seen.method == "PUT" else b""
    gate = scripted(gateway, stub_store(source_of(bytes(65 * MIB))), destination)
    assert copy(gate).status == 500
    assert [seen.target for seen in finished(destination, "DELETE")] == ["/into/copy?uploadId=up"]
    assert finished(destination, "PUT") == []


def test_dead_pooled_connections_never_surface(gateway, stub_store):
    """Both stores close each connection after its answer although it looked reusable."""
    source, destination = stub_store(source_of(os.urandom(300 * KIB))), stub_store(written)
    gate = scripted(gateway, source, destination)
    source.close_after_answer = destination.close_after_answer = True
    assert [copy(gate).status for _ in range(40)] == [200] * 40


@pytest.mark.parametrize("fails", [False, True])
def test_long_copies_keep_the_client_awake_and_tell_the_end_inside(gateway, stub_store, fails):
    woken = threading.Event()

    def answer(seen):
        woken.wait(120)
        return s3_error(503, "SlowDown") if fails else written(seen)

    gate = scripted(gateway, stub_store(source_of(b"x")), stub_store(answer))
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=120)
    connection.request("PUT", "/into/copy", headers={**USER, "x-amz-copy-source": "/from/object"})
    answer = connection.getresponse()
    woken.set()
    text = answer.read()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml")
    # White space, then the document; XML also for somebody whose errors are JSON otherwise.
    assert text[:1].isspace() and text.strip().startswith(b"<Error" if fails else b"<CopyObjectResult")
    assert text.strip().endswith(b"</Error>" if fails else b"</CopyObjectResult>")
    # The connection goes on.
    connection.request("GET", "/-/health")
    assert connection.getresponse().status == 200
    connection.close()
