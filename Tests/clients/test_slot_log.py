"""How an upload slot ended is in the audit log: Gatehouse itself puts the object under its key."""

import json
import threading

import pytest
from support.clients import body_of
from support.gatehouse import Gatehouse, eventually
from support.people import ALICE, ROOT
from support.slots import call, complete, desk_config, issue, state, use
from support.store_events import record

TOKEN = "event-token-6f4922f45568161a8cdf4ad2299f6d23"
BODY = b"0123456789"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north):
    config = desk_config(tmp_path_factory.mktemp("slot-log"), north, event_tokens={"north": TOKEN})
    config["users"].append(ROOT.entry("admin", ["*"]))
    gateway = Gatehouse(tmp_path_factory.mktemp("slot-log-desk"), config).start()
    yield gateway
    gateway.stop()


def ends(desk, slot):
    """The lines about what became of a slot."""
    return [line for line in desk.audit_log() if line.get("issued") == {"kind": "upload", "id": slot["id"]}
            and line["action"] not in ("issue_upload", "stray_upload")]


def end(desk, slot, action, verdict, who=ALICE):
    """The only one, which has the slot's place and whoever called; its reason."""
    [line] = ends(desk, slot)
    assert (line["action"], line["verdict"]) == (action, verdict)
    assert (line["bucket"], line["key"], line["who"]) == (slot["bucket"], slot["key"], f"user:{who.name}")
    return line


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("more", [{}, {"overwrite": True}, {"mode": "post"}, {"mode": "multipart"}], ids=str)
def test_an_object_that_a_completed_slot_brought_to_its_key_has_a_line(desk, everything, bucket, more):
    key = f"log/{bucket}/{len(more)}/{more}"
    if "overwrite" in more:
        everything.put_object(Bucket=bucket, Key=key, Body=b"before")
    slot = issue(desk, len(BODY), bucket, key=key, **more)
    if "parts" in slot:
        [part] = call(desk, "GET", f"/{slot['id']}/parts?numbers=1").json()["parts"]
        assert use({"upload": part}, BODY) == 200
    else:
        assert use(slot, BODY) in (200, 204)
    done = complete(desk, slot)
    assert done.status == 200, done.text
    # It is there before the answer is.
    line = end(desk, slot, "complete_upload", "allowed")
    assert line["reason"].startswith(f"etag {done.json()['etag']}")
    assert line["source"] == "127.0.0.1" and line["request_id"] == done.headers["x-amz-request-id"]
    assert complete(desk, slot).status == 200
    assert len(ends(desk, slot)) == 1, "once"
    assert body_of(everything, bucket, key) == BODY


def test_a_slot_that_got_something_else_has_a_line_that_says_why(desk, everything):
    slot = issue(desk, len(BODY))
    everything.put_object(Bucket="photos", Key=slot["key"], Body=b"x", ContentType="image/png")
    assert complete(desk, slot).status == complete(desk, slot).status == 422
    line = end(desk, slot, "reject_upload", "denied")
    assert line["reason"] == f"size_mismatch; etag {everything.head_object(Bucket='photos', Key=slot['key'])['ETag']}"


def test_a_slot_that_is_taken_back_has_a_line(desk):
    slot = issue(desk, len(BODY))
    for _ in range(2):
        assert call(desk, "DELETE", f"/{slot['id']}", who=ROOT).status == 204
    assert end(desk, slot, "abort_upload", "allowed", who=ROOT)["reason"] == "by_issuer"


def test_a_slot_that_nobody_used_has_a_line(desk):
    slot = issue(desk, len(BODY), ttl="1s")
    assert eventually(lambda: state(desk, slot) == "expired" and ends(desk, slot))
    line = end(desk, slot, "expire_upload", "denied")
    assert (line["source"], line["reason"]) == ("reaper", "timeout") and "request_id" not in line


def test_an_event_and_a_call_that_race_complete_a_slot_once_and_in_one_line(desk):
    by = set()
    for _ in range(12):
        slot = issue(desk, len(BODY), overwrite=True)
        assert use(slot, BODY) == 200
        place = slot["upload"]["url"].split("?")[0].split("/photos/", 1)[1]
        told = json.dumps(record("photos", place)).encode()
        racers = [
            threading.Thread(target=desk.request, args=("POST", "/-/v1/events/s3?source=north",
                                                        {"authorization": f"Bearer {TOKEN}"}, told)),
            threading.Thread(target=complete, args=(desk, slot)),
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert state(desk, slot) == "completed"
        assert eventually(lambda: ends(desk, slot))
        by.add(end(desk, slot, "complete_upload", "allowed")["source"])
    assert by <= {"127.0.0.1", "store"}


def test_what_a_store_told_of_has_a_line_with_whoever_has_the_slot(desk):
    slot = issue(desk, len(BODY))
    assert use(slot, BODY) == 200
    answer = desk.request("POST", "/-/v1/events/s3?source=north", {"authorization": f"Bearer {TOKEN}"},
                          json.dumps(record("photos", slot["key"])).encode())
    assert answer.status == 200
    assert eventually(lambda: ends(desk, slot))
    line = end(desk, slot, "complete_upload", "allowed")
    assert line["source"] == "store" and "request_id" not in line
    assert complete(desk, slot).status == 200 and len(ends(desk, slot)) == 1
