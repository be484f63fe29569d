"""Policies about `If-Match` and `If-None-Match`: what they ask for, the store must really have been asked.

alice may create below docs/ and replace nothing there; bob may delete nothing there but what he has seen.
"""

import base64
import hashlib
import json
import uuid

import pytest

from support.clients import body_of
from support.gatehouse import Gatehouse
from support.people import ALICE, User
from support.slots import call, complete, desk_config, issue, put, use

BOB = User("bob", "bob-api-key-0b7d5c2f1a9e4d3c8b6a")
BODY = b"0123456789"
ANYTHING = {"If-None-Match": "*", "If-Match": '"e"'}


def without(action, condition):
    """Denies an action below docs/ where a condition holds."""
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": action, "Resource": "arn:aws:s3:::*/docs/*", "Condition": condition}]}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north):
    folder = tmp_path_factory.mktemp("conditional")
    config = desk_config(folder, north)
    config["users"].append(BOB.entry("user", ["photos", "local"]))
    policies = {
        "user:alice": without("s3:PutObject", {"StringNotEquals": {"s3:if-none-match": "*"}}),
        "user:bob": without("s3:DeleteObject", {"Null": {"s3:if-match": "true"}}),
    }
    config["policies"] = []
    for who, document in policies.items():
        name = who.replace(":", "-")
        (folder / f"{name}.json").write_text(json.dumps(document))
        config["policies"].append({"name": name, "applies_to": [who], "document": f"file:{folder / name}.json"})
    gateway = Gatehouse(tmp_path_factory.mktemp("conditional-desk"), config).start()
    yield gateway
    gateway.stop()


@pytest.fixture(params=["photos", "local"])
def there(request, everything):
    """A bucket, and the key of an object that is protected in it."""
    key = f"docs/{uuid.uuid4().hex}"
    everything.put_object(Bucket=request.param, Key=key, Body=b"protected")
    yield request.param, key
    assert body_of(everything, request.param, key) == b"protected"


def test_who_may_only_create_replaces_nothing(desk, there):
    bucket, key = there
    assert desk.request("PUT", f"/{bucket}/{key}", ALICE.headers, BODY).status == 403
    assert desk.request("PUT", f"/{bucket}/{key}", {**ALICE.headers, "If-None-Match": "*"}, BODY).status == 412


@pytest.mark.parametrize("mode", ["put", "post", "multipart", "auto"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_condition_on_the_call_of_the_api_is_none_on_the_object(desk, there, mode, overwrite):
    bucket, key = there
    slot = issue(desk, len(BODY), bucket, key, mode=mode, overwrite=overwrite, headers=ANYTHING)
    if isinstance(slot, dict):
        # Only one whose own request replaces nothing.
        assert slot["upload"]["headers"]["if-none-match"] == "*"
        assert use(slot, BODY) == 412
        assert call(desk, "POST", f"/{slot['id']}/complete", {}, ANYTHING).status != 200
    else:
        assert (slot.status, slot.s3_code) == (403, "AccessDenied")


def test_a_slot_that_replaces_nothing_is_for_whoever_may_only_create(desk, everything):
    for bucket in ("photos", "local"):
        slot = issue(desk, len(BODY), bucket, f"docs/{uuid.uuid4().hex}", mode="put")
        assert use(slot, BODY) == 200
        assert complete(desk, slot).status == 200
        assert body_of(everything, bucket, slot["key"]) == BODY


def test_a_condition_on_bytes_in_quarantine_is_none_on_the_object(desk):
    """The key that they are meant for is not looked at when they are put."""
    slot = issue(desk, len(BODY), "local", f"free/{uuid.uuid4().hex}", mode="put", overwrite=True)
    assert put(slot["upload"]["url"], {**slot["upload"]["headers"], "If-None-Match": "*"}, BODY)[0] == 501


@pytest.mark.parametrize("value", ['"x"', "", "*, *", '"*"'])
def test_a_write_on_a_condition_that_replaces_is_not_one_that_creates(desk, there, value):
    bucket, key = there
    answer = desk.request("PUT", f"/{bucket}/{key}", {**ALICE.headers, "If-None-Match": value}, BODY)
    assert answer.status in (400, 403, 501), answer.status


def test_a_condition_holds_when_an_upload_in_parts_is_completed(desk, there):
    bucket, key = there
    condition = {**ALICE.headers, "If-None-Match": "*"}
    begun = desk.request("POST", f"/{bucket}/{key}?uploads", condition)
    upload = begun.text.split("<UploadId>")[1].split("<")[0]
    part = desk.request("PUT", f"/{bucket}/{key}?partNumber=1&uploadId={upload}", condition, BODY)
    document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.headers['etag']}</ETag></Part>" \
        "</CompleteMultipartUpload>"
    complete = f"/{bucket}/{key}?uploadId={upload}"
    assert desk.request("POST", complete, ALICE.headers, document.encode()).status == 403
    assert desk.request("POST", complete, condition, document.encode()).status == 412


def delete(desk, bucket, entries, who=BOB, headers=None):
    document = f"<Delete>{''.join(f'<Object>{entry}</Object>' for entry in entries)}</Delete>".encode()
    checksum = {"Content-MD5": base64.b64encode(hashlib.md5(document).digest()).decode()}
    return desk.request("POST", f"/{bucket}?delete", {**who.headers, **checksum, **(headers or {})}, document)


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_condition_on_a_batch_is_none_on_its_objects(desk, there, name):
    bucket, key = there
    answer = delete(desk, bucket, [f"<Key>{key}</Key>"], headers={name: '"wrong"'})
    assert (answer.status, answer.s3_code) == (501, "NotImplemented")
    assert name in answer.text


def test_an_object_of_a_batch_has_a_condition_of_its_own(desk, there):
    bucket, key = there
    assert b"<Code>AccessDenied</Code>" in delete(desk, bucket, [f"<Key>{key}</Key>"]).body
    assert delete(desk, bucket, [f"<Key>{key}</Key><ETag></ETag>"]).s3_code == "MalformedXML"


@pytest.mark.parametrize("bucket, code", [("photos", "PreconditionFailed"), ("local", "NotImplemented")])
def test_an_object_of_a_batch_that_is_another_now_is_not_deleted(desk, everything, bucket, code):
    """The embedded store knows no such conditions, and says so instead of passing over them."""
    key = f"docs/{uuid.uuid4().hex}"
    everything.put_object(Bucket=bucket, Key=key, Body=b"another")
    assert f"<Code>{code}</Code>" in delete(desk, bucket, [f'<Key>{key}</Key><ETag>"wrong"</ETag>']).text
    assert body_of(everything, bucket, key) == b"another"


def test_an_object_of_a_batch_is_deleted_where_it_is_what_was_seen(desk, everything):
    key = f"docs/{uuid.uuid4().hex}"
    etag = everything.put_object(Bucket="photos", Key=key, Body=b"seen")["ETag"]
    assert f"<Deleted><Key>{key}</Key>" in delete(desk, "photos", [f"<Key>{key}</Key><ETag>{etag}</ETag>"]).text
    assert body_of(everything, "photos", key) is None


@pytest.mark.parametrize("method, path", [
    ("PUT", "?tagging"), ("DELETE", "?tagging"), ("DELETE", "?uploadId=u"), ("PUT", "?acl"),
])
def test_what_knows_no_conditions_refuses_them(desk, there, method, path):
    bucket, key = there
    answer = desk.request(method, f"/{bucket}/{key}{path}", {**ALICE.headers, "If-Match": '"x"'})
    assert (answer.status, answer.s3_code) == (501, "NotImplemented")
