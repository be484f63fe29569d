"""Upload slots: issued by Gatehouse, used at the store by clients that know nothing of it, completed by what is there."""

import base64
import hashlib
import json
import re
import threading
import uuid

import pytest
from botocore.exceptions import ClientError
from support.clients import body_of
from support.gatehouse import Gatehouse, eventually
from support.people import ALICE, ROOT, User, account
from support.slots import call, complete, desk_config, issue, put, state, use
from support.store_events import bridged, record, wrapped
from support.webhooks import Webhooks

BODY = b"\x89PNG and so on" * 10
BOB = User("bob", "bob-api-key-3b5d5c3712955042212316173c")
SECRET = "a secret that only the receiver knows"
TOKEN = "event-token-6512bd43d9caa6e02c990b0a82652dca"
LOCAL_TOKEN = "event-token-c20ad4d76fe97759aa27a0c99bff6710"


@pytest.fixture(scope="module")
def hooks():
    sink = Webhooks(SECRET)
    yield sink
    sink.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north, hooks):
    config = desk_config(
        tmp_path_factory.mktemp("uploads"), north, max_size="1GiB", max_ttl="10m",
        allowed_content_types=["image/*", "video/mp4"], events=[f"webhook:{hooks.url}"], webhook_secret=SECRET,
        event_tokens={"north": TOKEN, "local": LOCAL_TOKEN},
    )
    config["buckets"].append({"name": "prefixed", "account": "north", "backend_prefix": "v2",
                              "backend_options": {"bucket_name": "shared"}})
    config["users"] = [
        ALICE.entry("user", ["photos", "local", "prefixed"]), BOB.entry("user", ["docs"]), ROOT.entry("admin", []),
    ]
    gateway = Gatehouse(tmp_path_factory.mktemp("uploads-desk"), config).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_a_slot_takes_one_object_and_completes(desk, everything, hooks, north, bucket):
    digest = hashlib.sha256(BODY).hexdigest()
    slot = issue(desk, len(BODY), bucket, key=f"a folder/{uuid.uuid4().hex} +ü.png", checksum_sha256=digest,
                 metadata={"Album": "summer"})
    assert slot["state"] == "issued" and slot["once"] is True
    assert slot["upload"]["url"].startswith(desk.endpoint if bucket == "local" else north.endpoint)
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert use(slot, BODY) == 200
    answer = complete(desk, slot)
    assert answer.status == 200, answer
    done = answer.json()
    assert (done["state"], done["size"], done["content_type"]) == ("completed", len(BODY), "image/png")
    assert complete(desk, slot).json() == done
    head = everything.head_object(Bucket=bucket, Key=slot["key"])
    assert head["ETag"] == done["etag"] and head["Metadata"] == {"album": "summer"}
    assert eventually(lambda: sorted(hooks.of(slot["id"])) == ["completed", "issued"])
    assert not hooks.bad


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_nothing_else_can_be_put_with_a_slot(desk, everything, bucket):
    slot = issue(desk, len(BODY), bucket)
    upload = slot["upload"]
    without = {name: value for name, value in upload["headers"].items() if name != "content-length"}
    assert put(upload["url"], {**without}, BODY + b"x")[0] == 403
    assert put(upload["url"], {**upload["headers"], "content-type": "text/html"}, BODY)[0] == 403
    assert put(upload["url"], {n: v for n, v in upload["headers"].items() if n != "if-none-match"}, BODY)[0] == 403
    assert put(upload["url"].replace(slot["key"], slot["key"] + "x"), upload["headers"], BODY)[0] == 403
    assert body_of(everything, bucket, slot["key"]) is None
    assert complete(desk, slot).status == 409
    assert use(slot, BODY) == 200


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_a_checksum_that_was_promised_is_held(desk, everything, bucket):
    other = b"x" * len(BODY)
    slot = issue(desk, len(BODY), bucket, checksum_sha256=base64.b64encode(hashlib.sha256(BODY).digest()).decode())
    assert use(slot, other) == 400
    assert complete(desk, slot).status == 409
    assert use(slot, BODY) == 200
    assert complete(desk, slot).status == 200


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_a_slot_is_used_once(desk, everything, bucket):
    slot = issue(desk, len(BODY), bucket)
    other = b"x" * len(BODY)
    assert use(slot, BODY) == 200
    assert use(slot, other) == 412
    assert complete(desk, slot).status == 200
    assert use(slot, other) == 412
    assert body_of(everything, bucket, slot["key"]) == BODY
    assert complete(desk, slot).status == 200


@pytest.mark.parametrize("old", [b"another size", BODY])
def test_an_object_that_was_there_is_no_upload(desk, everything, old):
    key = f"old/{uuid.uuid4().hex}"
    everything.put_object(Bucket="photos", Key=key, Body=old, ContentType="image/png")
    slot = issue(desk, len(BODY), key=key)
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert state(desk, slot) == "issued"
    assert use(slot, BODY) == 412
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert body_of(everything, "photos", key) == old


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_an_object_is_replaced_on_completion_only(desk, everything, bucket):
    key = f"old/{uuid.uuid4().hex}"
    everything.put_object(Bucket=bucket, Key=key, Body=b"old", ContentType="image/png")
    slot = issue(desk, len(BODY), bucket, key=key, overwrite=True)
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert use(slot, BODY) == 200
    assert body_of(everything, bucket, key) == b"old"
    done = complete(desk, slot)
    assert done.status == 200, done
    assert body_of(everything, bucket, key) == BODY
    # What is put afterwards stays where nobody sees it.
    assert use(slot, b"y" * len(BODY)) in (200, 412)
    assert complete(desk, slot).json() == done.json()
    assert body_of(everything, bucket, key) == BODY


@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_a_form_uploads_exactly_what_was_promised(desk, everything, north, bucket):
    slot = issue(desk, len(BODY), bucket, mode="post", metadata={"album": "summer"})
    assert slot["upload"]["method"] == "POST" and slot["once"] is True
    assert slot["upload"]["url"].startswith(desk.endpoint if bucket == "local" else north.endpoint)
    assert use(slot, BODY + b"x") >= 400
    for name, value in (("key", slot["key"]), ("Content-Type", "text/html"), ("x-amz-meta-album", "winter")):
        other = {**slot, "upload": {**slot["upload"], "fields": {**slot["upload"]["fields"], name: value}}}
        assert use(other, BODY) == 403, name
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert use(slot, BODY) in (200, 204)
    assert body_of(everything, bucket, slot["key"]) is None
    done = complete(desk, slot)
    assert done.status == 200
    head = everything.head_object(Bucket=bucket, Key=slot["key"])
    assert head["ContentType"] == "image/png" and head["Metadata"] == {"album": "summer"}
    # Used again, it puts nothing where anybody sees it.
    use(slot, b"y" * len(BODY))
    assert body_of(everything, bucket, slot["key"]) == BODY
    assert complete(desk, slot).json() == done.json()


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_an_identical_object_that_was_there_is_no_upload_by_form(desk, everything, bucket):
    key = f"old/{uuid.uuid4().hex}"
    everything.put_object(Bucket=bucket, Key=key, Body=BODY, ContentType="image/png")
    slot = issue(desk, len(BODY), bucket, key=key, mode="post", metadata={"album": "new"})
    assert complete(desk, slot).s3_code == "UploadNotFound"
    assert use(slot, BODY) in (200, 204)
    assert complete(desk, slot).s3_code == "KeyOccupied"
    assert everything.head_object(Bucket=bucket, Key=key)["Metadata"] == {}


def test_a_form_is_not_good_for_another_bucket_nor_after_its_end(desk):
    slot = issue(desk, len(BODY), "local", mode="post", ttl="3s")
    elsewhere = {**slot, "upload": {**slot["upload"], "url": f"{desk.endpoint}/photos"}}
    assert use(elsewhere, BODY) == 403
    assert eventually(lambda: state(desk, slot) == "expired")
    assert use(slot, BODY) == 403


@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_large_objects_come_in_parts(desk, everything, bucket):
    size = (16 << 20) + 5
    body = bytes(1 << 20) * 16 + b"tail."
    slot = issue(desk, size, bucket, mode="multipart", content_type="video/mp4")
    assert slot["parts"]["size"] == 16 << 20 and slot["parts"]["count"] == 2
    assert "upload" not in slot
    answer = call(desk, "GET", f"/{slot['id']}/parts?numbers=1-2")
    assert answer.status == 200, answer
    first, last = answer.json()["parts"]
    assert state(desk, slot) == "started"
    assert put(last["url"], last["headers"], b"tail.")[0] == 200
    assert complete(desk, slot).s3_code == "UploadNotFound"
    status, fields = put(first["url"], first["headers"], body[: 16 << 20])
    assert status == 200
    # Fresh URLs for the same upload.
    again = call(desk, "GET", f"/{slot['id']}/parts?numbers=2").json()["parts"][0]
    status, tail = put(again["url"], again["headers"], b"tail.")
    assert status == 200
    bad = [{"number": 1, "etag": fields["etag"]}, {"number": 2, "etag": '"' + "0" * 32 + '"'}]
    assert complete(desk, slot, bad).s3_code == "InvalidPart"
    parts = [{"number": 1, "etag": fields["etag"]}, {"number": 2, "etag": tail["etag"]}]
    done = complete(desk, slot, parts)
    assert done.status == 200, done
    assert complete(desk, slot, parts).json() == done.json()
    head = everything.head_object(Bucket=bucket, Key=slot["key"])
    assert (head["ContentLength"], head["ContentType"]) == (size, "video/mp4")
    assert call(desk, "GET", f"/{slot['id']}/parts?numbers=1").s3_code == "UploadEnded"


def test_parts_don_t_overwrite_what_came_meanwhile(desk, everything):
    slot = issue(desk, 5, mode="multipart")
    part = call(desk, "GET", f"/{slot['id']}/parts?numbers=1").json()["parts"][0]
    assert put(part["url"], part["headers"], b"12345")[0] == 200
    everything.put_object(Bucket="photos", Key=slot["key"], Body=b"first", ContentType="image/png")
    assert complete(desk, slot).s3_code == "KeyOccupied"
    assert body_of(everything, "photos", slot["key"]) == b"first"
    assert call(desk, "GET", f"/{slot['id']}").json()["cause"] == "occupied"


def test_what_is_not_what_was_promised_is_rejected(desk, everything, hooks):
    slot = issue(desk, len(BODY))
    everything.put_object(Bucket="photos", Key=slot["key"], Body=b"short", ContentType="text/plain")
    answer = complete(desk, slot)
    assert answer.status == 422 and answer.s3_code == "UploadMismatch"
    assert answer.json()["error"]["fields"] == ["size", "content_type"]
    assert complete(desk, slot).json()["error"]["fields"] == ["size", "content_type"]
    assert state(desk, slot) == "rejected"
    # Whoever put it, it was not the slot: its URL is signed for another size.
    assert body_of(everything, "photos", slot["key"]) == b"short"
    assert eventually(lambda: "rejected" in hooks.of(slot["id"]))


@pytest.mark.parametrize("overwrite", [False, True])
def test_two_completions_at_once_complete_once(desk, hooks, overwrite):
    slot = issue(desk, len(BODY), overwrite=overwrite)
    assert use(slot, BODY) == 200
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(complete(desk, slot))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 8
    assert len({answer.text for answer in answers}) == 1
    assert eventually(lambda: len(hooks.of(slot["id"])) >= 2)
    assert hooks.of(slot["id"]).count("completed") == 1


def test_slots_are_their_issuer_s(desk):
    slot = issue(desk, 5)
    for guess in (slot["id"][:-1] + ("0" if slot["id"][-1] != "0" else "1"), slot["id"].upper() + "", "0" * 32):
        if guess != slot["id"]:
            assert call(desk, "GET", f"/{guess}").status in (400, 404)
    assert call(desk, "GET", f"/{slot['id']}/parts?numbers=1", who=BOB).status == 404
    assert call(desk, "GET", f"/{slot['id']}", who=BOB).status == 404
    assert call(desk, "POST", f"/{slot['id']}/complete", {}, who=BOB).status == 404
    assert call(desk, "DELETE", f"/{slot['id']}", who=BOB).status == 404
    assert call(desk, "GET", f"/{slot['id']}", who=ROOT).status == 200


def test_a_slot_is_taken_back(desk):
    slot = issue(desk, 5, mode="multipart")
    part = call(desk, "GET", f"/{slot['id']}/parts?numbers=1").json()["parts"][0]
    assert call(desk, "DELETE", f"/{slot['id']}").status == 204
    assert call(desk, "DELETE", f"/{slot['id']}").status == 204
    assert complete(desk, slot).s3_code == "UploadEnded"
    assert put(part["url"], part["headers"], b"12345")[0] == 404


@pytest.mark.parametrize("change, code, status", [
    ({"content_type": "text/html"}, "InvalidArgument", 400),
    ({"size": 2 << 30}, "EntityTooLarge", 400),
    ({"bucket": "docs"}, "AccessDenied", 403),
    ({"key": ".gatehouse/quarantine/x"}, "AccessDenied", 403),
    ({"mode": "multipart", "checksum_sha256": "0" * 64}, "InvalidArgument", 400),
    ({"checksum_sha256": "z" * 64}, "InvalidArgument", 400),
    ({"metadata": {"a b": "c"}}, "InvalidArgument", 400),
    ({"metadata": {"a": "line\nbreak"}}, "InvalidArgument", 400),
    ({"colour": "red"}, "InvalidArgument", 400),
    ({"key": "../x"}, "InvalidArgument", 400),
])
def test_what_is_not_allowed_is_refused_at_issue(desk, change, code, status):
    body = {"bucket": "photos", "key": "x", "content_type": "image/png", "size": 5, **change}
    answer = call(desk, "POST", "", body)
    assert answer.status == status, answer
    if change.get("key") != "../x":
        assert answer.s3_code == code


def test_a_creation_that_is_repeated_is_the_same_slot(desk):
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    one = issue(desk, 5, key="repeated/x", headers=headers)
    two = issue(desk, 5, key="repeated/x", headers=headers)
    assert one["id"] == two["id"]
    assert issue(desk, 6, key="repeated/x", headers=headers).s3_code == "IdempotencyKeyReused"


def test_a_lifetime_is_capped(desk):
    slot = issue(desk, 5, ttl="1h")
    assert slot["capped_by"] == "maximum"
    # Signed a moment after it was issued.
    assert 540 < int(re.search(r"X-Amz-Expires=(\d+)", slot["upload"]["url"])[1]) <= 600


def test_a_slot_expires(desk, hooks):
    slot = issue(desk, 5, ttl="2s")
    assert eventually(lambda: state(desk, slot) == "expired")
    assert complete(desk, slot).s3_code == "UploadEnded"
    assert eventually(lambda: "expired" in hooks.of(slot["id"]))
    assert eventually(lambda: desk.metric("gatehouse_uploads_total", state="expired", cause="timeout") >= 1)


def test_quarantine_is_nobody_s(desk, everything, north_s3):
    slot = issue(desk, len(BODY), overwrite=True)
    assert use(slot, BODY) == 200
    hidden = [entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos")["Contents"]
              if entry["Key"].endswith(slot["key"])]
    assert len(hidden) == 1 and hidden[0].startswith(".gatehouse/quarantine/")
    shown = [entry["Key"] for entry in everything.list_objects_v2(Bucket="photos").get("Contents", [])]
    assert shown and not any(key.startswith(".gatehouse/quarantine/") for key in shown)
    for attempt in (
        lambda: everything.get_object(Bucket="photos", Key=hidden[0]),
        lambda: everything.put_object(Bucket="photos", Key=hidden[0], Body=b"x"),
        lambda: everything.delete_object(Bucket="photos", Key=hidden[0]),
        lambda: everything.copy_object(Bucket="photos", Key="stolen", CopySource={"Bucket": "photos", "Key": hidden[0]}),
    ):
        with pytest.raises(ClientError) as error:
            attempt()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    batch = everything.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": hidden[0]}]})
    assert batch["Errors"][0]["Code"] == "AccessDenied"
    assert complete(desk, slot).status == 200


def push(desk, message, source="north", token=TOKEN):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return desk.request("POST", f"/-/v1/events/s3?source={source}", headers, body)


@pytest.mark.parametrize("form", [lambda m: m, wrapped, bridged])
@pytest.mark.parametrize("bucket, stored, place", [("photos", "photos", ""), ("prefixed", "shared", "v2/")])
def test_a_store_s_event_completes_a_slot_once(desk, hooks, form, bucket, stored, place):
    slot = issue(desk, len(BODY), bucket)
    message = form(record(stored, place + slot["key"]))
    assert push(desk, message).status == 200
    assert state(desk, slot) == "issued"
    assert use(slot, BODY) == 200
    assert push(desk, message).status == 200
    assert state(desk, slot) == "completed"
    assert push(desk, message).status == 200
    assert complete(desk, slot).status == 200
    assert eventually(lambda: hooks.of(slot["id"]).count("completed") == 1)


def test_events_need_their_token(desk):
    message = record("photos", "x")
    for token, source in ((None, "north"), ("wrong", "north"), (TOKEN, "photos"), (TOKEN, "other"), ("", "other")):
        assert push(desk, message, source, token).status == 401


@pytest.mark.parametrize("form", [lambda m: m, wrapped, bridged])
def test_a_source_says_nothing_of_the_buckets_of_another(desk, form):
    slot = issue(desk, len(BODY))
    assert use(slot, BODY) == 200
    for name in ("photos", "local"):
        assert push(desk, form(record(name, slot["key"])), "local", LOCAL_TOKEN).status == 200
    assert state(desk, slot) == "issued"
    assert push(desk, form(record("photos", slot["key"]))).status == 200
    assert state(desk, slot) == "completed"


def test_other_events_are_taken_in_and_poison_is_dropped(desk):
    assert push(desk, {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}).status == 200
    assert push(desk, record("photos", "x", "ObjectRemoved:Delete")).status == 200
    assert push(desk, {"Type": "SubscriptionConfirmation", "TopicArn": "t",
                       "SubscribeURL": "http://127.0.0.1:9/"}).status == 200
    poison = b'{"Records": [{"eventName": 5}]}'
    assert [push(desk, poison).status for _ in range(5)] == [400] * 4 + [200]
    assert eventually(lambda: desk.metric("gatehouse_store_events_total", outcome="poisoned") >= 1)


def test_every_slot_is_in_the_audit_log(desk):
    slot = issue(desk, 5)
    lines = [line for line in desk.audit_log() if line.get("issued", {}).get("id") == slot["id"]]
    assert len(lines) == 1
    assert lines[0]["action"] == "issue_upload" and lines[0]["who"] == "user:alice"


@pytest.mark.parametrize("mode", ["put", "post", "multipart"])
def test_what_is_sent_through_gatehouse_is_found_by_its_slot(desk, mode):
    """The log says which URL was signed for the slot, and which URL the bytes came by."""
    slot = issue(desk, len(BODY), "local", mode=mode)
    if mode == "multipart":
        part = call(desk, "GET", f"/{slot['id']}/parts?numbers=1").json()["parts"][0]
        assert put(part["url"], part["headers"], BODY)[0] == 200
    else:
        assert use(slot, BODY) in (200, 204)
    lines = desk.audit_log()
    signed = [line["issued"]["id"] for line in lines if line.get("reason") == f"upload:{slot['id']}"]
    assert len(signed) == 1
    assert eventually(lambda: any(
        line.get("reason", "").endswith(signed[0]) and "issued" not in line for line in desk.audit_log()))


def test_a_receiver_that_fails_is_told_again(tmp_path, gateway, north):
    sink = Webhooks(SECRET, status=500)
    desk = gateway({
        "accounts": [account("north", north, ["photos"])],
        "users": [ALICE.entry("user", ["photos"]), ROOT.entry("admin", [])],
        "uploads": {"events": [f"webhook:{sink.url}"], "webhook_secret": SECRET},
    })
    slot = issue(desk, 5)
    assert eventually(lambda: sink.attempts >= 1)
    report = json.loads(desk.request("GET", "/api/uploads", {"x-api-key": ROOT.api_key}, admin=True).body)
    assert report["outbox"] == {"waiting": 1, "dead": 0}
    assert report["funnel"] == [{"state": "issued", "count": 1}] and report["open"] == 1
    sink.status = 200
    assert eventually(lambda: sink.of(slot["id"]) == ["issued"])
    sink.stop()
