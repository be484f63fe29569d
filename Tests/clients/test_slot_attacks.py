"""What slots must not do to objects of others, and what may not be done to them."""

import hashlib
import json
import threading
import time
import uuid

import pytest
from support.clients import body_of
from support.gatehouse import Gatehouse, eventually
from support.people import ALICE
from support.raw import RawConnection
from support.slots import age, call, complete, desk_config, issue, put, state, use
from support.stub_store import response, s3_error

BODY = b"0123456789"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north):
    config = desk_config(tmp_path_factory.mktemp("slot-attacks"), north)
    gateway = Gatehouse(tmp_path_factory.mktemp("slot-attacks-desk"), config).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def picky(tmp_path_factory, north):
    """Takes images alone."""
    folder = tmp_path_factory.mktemp("slot-attacks-types")
    gateway = Gatehouse(folder, desk_config(folder, north, allowed_content_types=["image/png"])).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_somebody_else_s_object_is_not_deleted_by_a_slot_for_its_key(desk, everything, bucket):
    """`on_mismatch = "delete"`: neither when the slot is completed nor when it expires unused."""
    named, left, behind = (issue(desk, 3, bucket) for _ in range(3))
    for slot in (named, left):
        everything.put_object(Bucket=bucket, Key=slot["key"], Body=b"of somebody else", ContentType="image/png")
    assert complete(desk, named).s3_code == "UploadMismatch"
    age(desk, left, seconds=1000)
    age(desk, behind)
    # One after the other, and nothing is done about the first any more when it is the second's turn.
    assert eventually(lambda: state(desk, behind) == "expired")
    assert state(desk, left) == "rejected"
    for slot in (named, left):
        assert body_of(everything, bucket, slot["key"]) == b"of somebody else"


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_a_form_s_checksum_is_held_against_its_bytes(desk, everything, bucket):
    slot = issue(desk, len(BODY), bucket, mode="post", checksum_sha256=hashlib.sha256(BODY).hexdigest())
    assert use(slot, b"x" * len(BODY)) in (200, 204)
    answer = complete(desk, slot)
    assert (answer.status, answer.s3_code) == (422, "UploadMismatch")
    assert answer.json()["error"]["fields"] == ["checksum_sha256"]
    assert body_of(everything, bucket, slot["key"]) is None
    right = issue(desk, len(BODY), bucket, mode="post", checksum_sha256=hashlib.sha256(BODY).hexdigest())
    assert use(right, BODY) in (200, 204)
    assert complete(desk, right).status == 200
    assert body_of(everything, bucket, right["key"]) == BODY


def test_sizes_of_parts_that_overflow_are_a_bad_answer_and_no_crash(gateway, stub_store):
    page = "<ListPartsResult>" + "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>\"e{n}\"</ETag><Size>9223372036854775807</Size></Part>" for n in (1, 2)
    ) + "<IsTruncated>false</IsTruncated></ListPartsResult>"

    def answer(seen):
        if "uploads" in seen.target and seen.method == "POST":
            return response(body=b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
        if "uploadId=u1" in seen.target and seen.method == "GET":
            return response(headers=[("Content-Type", "application/xml")], body=page.encode())
        if seen.method == "HEAD":
            return response(404, length=False)
        if seen.method == "PUT":
            return s3_error(412, "PreconditionFailed")
        return s3_error(404, "NoSuchKey") if seen.method == "GET" else response(204, length=False)

    store = stub_store(answer)
    gate = gateway({
        "buckets": [{"name": "photos", "backend_type": "s3", "backend_options": {
            "endpoint": f"http://127.0.0.1:{store.port}", "region": "us-east-1", "bucket_name": "b",
            "access_key_id": "AKSTORE", "secret_access_key": "store-secret-0123456789"}}],
        "users": [ALICE.entry("user", ["photos"])],
    })
    slot = issue(gate, 100, mode="multipart")
    assert call(gate, "GET", f"/{slot['id']}/parts?numbers=1").status == 200
    answer = complete(gate, slot)
    assert (answer.status, answer.s3_code) == (502, "BackendBadAnswer")
    assert gate.request("GET", "/-/health").status == 200


def test_an_upload_that_began_in_time_completes_though_it_ends_late(desk, everything):
    slot = issue(desk, len(BODY), "local", ttl="10s")
    upload = slot["upload"]
    target = "/" + upload["url"].split("/", 3)[3]
    with RawConnection(desk.port) as connection:
        connection.request("PUT", target, {
            "Host": desk.endpoint.split("//")[1], **upload["headers"], "content-length": str(len(BODY)),
        })
        connection.send(BODY[:4])
        time.sleep(12)
        connection.send(BODY[4:])
        assert connection.answer()[0] == 200
    answer = complete(desk, slot)
    assert (answer.status, answer.json()["state"]) == (200, "completed")
    # It is late to begin, all the same.
    late = issue(desk, len(BODY), "local", ttl="1s")
    time.sleep(2)
    assert use(late, BODY) == 403


def parts_of(desk, slot, body):
    listed = call(desk, "GET", f"/{slot['id']}/parts?numbers=1-{slot['parts']['count']}").json()["parts"]
    size = slot["parts"]["size"]
    for part in listed:
        piece = body[(part["number"] - 1) * size:part["number"] * size]
        assert put(part["url"], part["headers"], piece)[0] == 200


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_the_same_bytes_again_in_parts_complete_an_overwriting_slot(desk, everything, bucket):
    key = f"same/{uuid.uuid4().hex}"
    for _ in range(2):
        slot = issue(desk, len(BODY), bucket, key=key, mode="multipart", overwrite=True)
        parts_of(desk, slot, BODY)
        answer = complete(desk, slot)
        assert (answer.status, answer.json()["state"]) == (200, "completed")


def test_what_was_put_together_without_us_completes_and_does_not_expire(desk, north_s3):
    """As after a crash between the store's answer and the state's commit."""
    slot = issue(desk, len(BODY), mode="multipart")
    parts_of(desk, slot, BODY)
    upload = next(entry for entry in north_s3.list_multipart_uploads(Bucket="photos")["Uploads"]
                  if entry["Key"] == slot["key"])["UploadId"]
    parts = north_s3.list_parts(Bucket="photos", Key=slot["key"], UploadId=upload)["Parts"]
    north_s3.complete_multipart_upload(Bucket="photos", Key=slot["key"], UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]})
    age(desk, slot)
    assert eventually(lambda: state(desk, slot) == "completed")


def test_parts_that_nobody_called_whole_are_not_put_together(desk, everything):
    slot = issue(desk, len(BODY), mode="multipart")
    parts_of(desk, slot, BODY)
    age(desk, slot)
    assert eventually(lambda: state(desk, slot) == "expired")
    assert body_of(everything, "photos", slot["key"]) is None


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_of_two_forms_for_one_key_one_completes(desk, everything, bucket):
    key = f"race/{uuid.uuid4().hex}"
    slots = [issue(desk, len(BODY), bucket, key=key, mode="post") for _ in range(4)]
    for number, slot in enumerate(slots):
        assert use(slot, bytes([48 + number]) * len(BODY)) in (200, 204)
    answers = [None] * len(slots)

    def end(number):
        answers[number] = complete(desk, slots[number]).status

    threads = [threading.Thread(target=end, args=(number,)) for number in range(len(slots))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409]
    winner = answers.index(200)
    assert body_of(everything, bucket, key) == bytes([48 + winner]) * len(BODY)


@pytest.mark.parametrize("mode", ["put", "post", "multipart"])
@pytest.mark.parametrize(
    "content_type",
    ["image/png;x=,text/html", "image/png, text/html", "image/png;x=\"y,text/html", "image/png;x=y z", "text/html"],
)
def test_script_does_not_pass_for_an_image_that_may_be_uploaded(picky, mode, content_type):
    """Browsers take what stands behind the last comma of a Content-Type for the type."""
    refused = issue(picky, 3, "local", content_type=content_type, mode=mode)
    assert (refused.status, refused.s3_code) == (400, "InvalidArgument")
    assert "content_type" in refused.json()["error"]["message"]
    named = issue(picky, 3, "local", content_type='image/png;x="a, b"', mode=mode)
    assert named["content_type"] == 'image/png;x="a, b"'


def test_a_url_does_not_say_another_type_behind_a_comma(picky):
    body = {"bucket": "local", "key": "a", "content_type": "image/png;x=,text/html"}
    answer = picky.request(
        "POST", "/-/v1/downloads", {**ALICE.headers, "content-type": "application/json"}, json.dumps(body).encode()
    )
    assert (answer.status, answer.s3_code) == (400, "InvalidArgument")


def test_a_slot_is_completed_without_a_body(desk):
    slot = issue(desk, len(BODY))
    assert use(slot, BODY) == 200
    answer = call(desk, "POST", f"/{slot['id']}/complete")
    assert (answer.status, answer.json()["state"]) == (200, "completed")


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("extra", [
    {"x-amz-meta-owner": "attacker"}, {"x-amz-meta-more": "x"}, {"x-amz-tagging": "a=b"}, {"x-amz-acl": "public-read"},
    {"content-encoding": "gzip"}, {"content-disposition": "attachment; filename=x.exe"},
], ids=lambda extra: next(iter(extra)))
def test_what_nobody_promised_does_not_come_with_a_slot(desk, everything, bucket, extra):
    """Refused where the signature says what may be sent; where a store takes it all the same, completion notices."""
    slot = issue(desk, len(BODY), bucket, metadata={"owner": "app"})
    status = use(slot, BODY, **extra)
    if next(iter(extra)).startswith("x-amz-"):
        assert status == 403
        assert complete(desk, slot).s3_code == "UploadNotFound"
        assert use(slot, BODY) == 200 and complete(desk, slot).status == 200
    else:
        answer = complete(desk, slot)
        assert (status, answer.status, answer.s3_code) == (200, 422, "UploadMismatch")
        assert answer.json()["error"]["fields"] == ["metadata"]
        assert call(desk, "GET", f"/{slot['id']}").json()["cause"] == "metadata_mismatch"
        assert complete(desk, slot).json()["error"]["fields"] == ["metadata"], "the same again"


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("mode", ["put", "post", "multipart"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_object_has_the_metadata_that_its_slot_promised(desk, everything, bucket, mode, overwrite):
    promised = {"owner": "app", "of-parts_x": "a  b", "none": ""}
    slot = issue(desk, len(BODY), bucket, mode=mode, overwrite=overwrite, metadata=promised)
    if mode == "multipart":
        parts_of(desk, slot, BODY)
    else:
        assert use(slot, BODY) in (200, 204)
    done = complete(desk, slot)
    assert done.status == 200, done.text
    kept = everything.head_object(Bucket=bucket, Key=slot["key"])
    assert {name: value for name, value in kept["Metadata"].items() if value} == {"owner": "app", "of-parts_x": "a  b"}
    assert kept["ContentType"] == "image/png"
