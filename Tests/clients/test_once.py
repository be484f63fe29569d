"""What a slot says of itself holds, whatever conditions its store heeds."""

import json
import urllib.parse

import pytest

from support.careless_store import CarelessStore
from support.clients import run
from support.gatehouse import binary
from support.people import ALICE, account
from support.slots import call, complete, issue, use
from support.stub_store import response

BODY = b"0123456789"


@pytest.fixture
def desk(gateway):
    """Makes a gateway in front of a store that heeds what it is told to."""
    stores = []

    def make(**conditions):
        store = CarelessStore(**conditions)
        store.access_key, store.secret_key = "AKCARELESS", "careless-secret-0123456789"
        stores.append(store)
        made = gateway({
            "accounts": [account("careless", store, ["photos"])], "users": [ALICE.entry("user", ["photos"])],
        })
        made.store = store
        return made

    yield make
    for store in stores:
        store.stop()


def waits(slot):
    """Whether its bytes land in quarantine."""
    where = slot["upload"]["url"] if slot["upload"]["method"] == "PUT" else slot["upload"]["fields"]["key"]
    return ".gatehouse/quarantine/" in urllib.parse.unquote(where)


@pytest.mark.parametrize("absence, source, in_quarantine, put, overwriting", [
    ("heeded", "heeded", False, True, True),
    ("ignored", "heeded", True, True, True),
    ("unknown", "heeded", True, True, True),
    ("heeded", "ignored", False, True, False),
    ("ignored", "ignored", True, False, False),
    ("unknown", "unknown", True, False, False),
])
def test_a_slot_says_whether_it_can_be_used_twice(desk, absence, source, in_quarantine, put, overwriting):
    gate = desk(absence=absence, source=source)
    slot = issue(gate, len(BODY))
    assert (waits(slot), slot["once"]) == (in_quarantine, put)
    again = issue(gate, len(BODY), overwrite=True)
    assert (waits(again), again["once"]) == (True, overwriting)
    posted = issue(gate, len(BODY), mode="post")
    assert (waits(posted), posted["once"]) == (True, overwriting)
    assert issue(gate, 1 << 30, mode="multipart")["once"] is True
    # It was asked once, with objects of which nothing is left.
    probes = [seen for seen in gate.store.seen if seen.target.endswith("/condition") and seen.method == "PUT"]
    assert len(probes) == 2 and all(seen.body == b"" for seen in probes)
    assert gate.store.objects == {}


@pytest.mark.parametrize("absence", ["heeded", "ignored", "unknown"])
def test_what_a_slot_put_stays(desk, absence):
    gate = desk(absence=absence)
    slot = issue(gate, len(BODY), key="a.png")
    assert use(slot, BODY) == 200
    assert complete(gate, slot).status == 200
    use(slot, b"9876543210")
    assert gate.store.objects["/photos/a.png"][1] == BODY
    assert complete(gate, slot).json()["etag"] == gate.store.objects["/photos/a.png"][0]


@pytest.mark.parametrize("absence", ["ignored", "unknown"])
def test_what_was_there_is_not_replaced(desk, absence):
    gate = desk(absence=absence)
    gate.store.objects["/photos/a.png"] = ('"old"', b"old", "image/png")
    slot = issue(gate, len(BODY), key="a.png")
    assert use(slot, BODY) == 200
    assert gate.store.objects["/photos/a.png"][1] == b"old"
    assert complete(gate, slot).s3_code == "KeyOccupied"
    assert gate.store.objects["/photos/a.png"][1] == b"old"


def test_what_changed_after_it_was_looked_at_is_not_brought_to_its_key(desk):
    gate = desk(absence="ignored")
    slot = issue(gate, len(BODY), key="a.png")
    assert use(slot, BODY) == 200
    usual = gate.store.answer

    def changing(seen):
        if seen.header("x-amz-copy-source"):
            place = urllib.parse.unquote(seen.header("x-amz-copy-source"))
            gate.store.objects[place] = ('"other"', b"9876543210", "image/png")
        return usual(seen)

    gate.store.answer = changing
    assert complete(gate, slot).s3_code == "UploadNotFound"
    assert "/photos/a.png" not in gate.store.objects
    gate.store.answer = usual
    assert complete(gate, slot).status == 200
    assert gate.store.objects["/photos/a.png"][1] == b"9876543210"


def test_a_store_that_can_t_be_asked_issues_nothing(desk):
    gate = desk()
    gate.store.answer = lambda seen: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    answer = call(gate, "POST", "", {"bucket": "photos", "key": "x", "content_type": "image/png", "size": 5})
    assert (answer.status, answer.s3_code) == (502, "BackendAuthFailed")
    gate.store.answer = gate.store._act
    assert issue(gate, 5)["once"] is True


@pytest.mark.parametrize("heeds, verdict", [(True, "failed"), (False, "ok")])
def test_doctor_finds_a_store_that_heeds_fields_nobody_signed(desk, heeds, verdict):
    """Whoever has a URL that puts would have it copied whatever the store's credential reads."""
    gate = desk()
    store, act = gate.store, gate.store.answer

    def answer(seen):
        if "list-type=2" in seen.target:
            return response(body=b"<ListBucketResult><Name>photos</Name></ListBucketResult>")
        if "X-Amz-Signature=" in seen.target and seen.header("x-amz-copy-source") and not heeds:
            return response(403)
        return act(seen)

    store.answer = answer
    done = run([binary(), "doctor", "photos", "--config", gate.config_path, "--json"], env=gate.env)
    [report] = [one for one in json.loads(done.stdout)["examinations"] if one["subject"].startswith("photos")]
    found = {finding["check"]: finding for finding in report["findings"]}["unsigned fields"]
    assert found["verdict"] == verdict, done.stdout
    assert (done.returncode == 1) == (verdict == "failed")
    assert not [key for key in store.objects if ".gatehouse/doctor/" in key], "nothing is left behind"
