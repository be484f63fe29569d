"""What is sent to a store with a slot whose ground was taken back does not become an object, whoever tells of it."""

import json
import urllib.parse
import uuid

import pytest
from support.clients import body_of, run, signed
from support.gatehouse import Gatehouse, binary, eventually
from support.people import ROOT, Key, User, within
from support.slots import age, call, desk_config, has_leftovers, issue, put, use
from support.store_events import record
from support.stub_store import response, s3_error
from support.sts import ARN, Session, sts_client

TOKEN = "event-token-1f0e3dad99908345f7439f8ffabdffc4"
NEW = b"put by somebody who may not any more"
OLD = b"live"
LATER = "2099-01-01T00:00:00Z"
PARTNER = Key("AKSLOTPARTNEREXAMPLE", "partner/Secret+3456789abcdefghijklmnopqrs", "slot-partner")
STRAY = {way: User(f"stray-{way}", f"stray-{way}-api-key-c20ad4d76fe97759aa27a0c99bff6710")
         for way in ("late", "early", "nothing", "other", "same")}
# Each is revoked once.
PEOPLE = {way: User(f"bob-{way}", f"bob-{way}-api-key-3b5d5c3712955042212316173c")
          for via in ("event", "reaper", "call")
          for way in [f"{how}-{via}" for how in ("nothing", "user", "block", "grant", "giver")]}
GIVERS = {way: User(f"giver-{way}", f"giver-{way}-api-key-6512bd43d9caa6e02c99")
          for way in PEOPLE if way.startswith("giver")}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, north):
    config = desk_config(tmp_path_factory.mktemp("revoked-slots"), north, event_tokens={"north": TOKEN})
    config["users"] = [
        *(who.entry("user", [] if way[0] == "g" else ["photos"]) for way, who in PEOPLE.items()),
        *(who.entry("user", ["photos"]) for who in [*GIVERS.values(), *STRAY.values()]), ROOT.entry("admin", ["*"]),
    ]
    config["credentials"].append(PARTNER.entry([within("photos", ["slots/"], "write")]))
    gateway = Gatehouse(tmp_path_factory.mktemp("revoked-slots-desk"), config).start()
    yield gateway
    gateway.stop()


def revoke(desk, *arguments):
    done = run([binary(), "revoke", *arguments, "--config", desk.config_path], env=desk.env)
    assert done.returncode == 0, done.stdout + done.stderr


def landing(slot):
    """Where the bytes go at the store."""
    return urllib.parse.unquote(urllib.parse.urlsplit(slot["upload"]["url"]).path).removeprefix("/photos/")


def look(desk, slot):
    return call(desk, "GET", f"/{slot['id']}", who=ROOT).json()


def push(desk, key):
    message = json.dumps(record("photos", key)).encode()
    return desk.request("POST", "/-/v1/events/s3?source=north", {"authorization": f"Bearer {TOKEN}"}, message).status


def give(desk, giver, subject):
    answer = desk.request("POST", "/-/v1/grants", {**giver.headers, "content-type": "application/json"}, json.dumps(
        {"subject": subject, "bucket": "photos", "prefix": "slots/", "actions": ["put_object"], "expires_at": LATER}))
    assert answer.status == 201, answer
    return answer.json()["id"]


@pytest.mark.parametrize("via", ["event", "reaper", "call"])
@pytest.mark.parametrize("how", ["nothing", "user", "block", "grant", "giver"])
def test_what_is_put_after_a_revocation_never_replaces_the_object(desk, everything, north_s3, how, via):
    who, key = PEOPLE[f"{how}-{via}"], f"slots/{uuid.uuid4().hex}"
    giver = GIVERS.get(f"{how}-{via}", ROOT)
    grant = give(desk, giver, f"user:{who.name}") if how in ("grant", "giver") else None
    everything.put_object(Bucket="photos", Key=key, Body=OLD, ContentType="image/png")
    slot = issue(desk, len(NEW), key=key, overwrite=True, who=who)
    quarantined = landing(slot)
    assert quarantined != key
    match how:
        case "user": revoke(desk, "user", who.name)
        case "block": revoke(desk, "user", who.name, "--block")
        case "grant": revoke(desk, "grant", grant)
        case "giver": revoke(desk, "user", giver.name)
    # The store knows nothing of it.
    assert use(slot, NEW) == 200
    match via:
        case "event": assert push(desk, quarantined) == 200
        case "reaper":
            age(desk, slot)
            assert eventually(lambda: look(desk, slot)["state"] not in ("issued", "started"))
        case "call": assert call(desk, "POST", f"/{slot['id']}/complete", {}, who=ROOT).status == (
            200 if how == "nothing" else 409)
    ended = look(desk, slot)
    if how == "nothing":
        assert ended["state"] == "completed" and body_of(everything, "photos", key) == NEW
    else:
        assert (ended["state"], ended["cause"]) == ("aborted", "revoked")
        assert body_of(everything, "photos", key) == OLD
    assert body_of(north_s3, "photos", quarantined) is None


@pytest.mark.parametrize("mode", ["put", "multipart"])
@pytest.mark.parametrize("kind", ["session", "parent"])
def test_what_a_session_was_issued_ends_with_it(desk, everything, kind, mode):
    """The slot's issuer is the key itself: that it had it by a session is kept with the slot."""
    session = Session(desk, sts_client(desk, PARTNER.access_key, PARTNER.secret_key).assume_role(
        RoleArn=ARN + "self", RoleSessionName="uploads")["Credentials"])

    def ask(method, path, body=b""):
        headers = signed(method, f"{desk.endpoint}/-/v1/uploads{path}", session.access_key, session.secret_key,
                         {"content-type": "application/json"} if body else {}, body, token=session.token)
        return desk.request(method, f"/-/v1/uploads{path}", headers, body or None)

    key = f"slots/{uuid.uuid4().hex}"
    everything.put_object(Bucket="photos", Key=key, Body=OLD, ContentType="image/png")
    answer = ask("POST", "", json.dumps({"bucket": "photos", "key": key, "content_type": "image/png", "mode": mode,
                                         "size": len(NEW), "overwrite": True}).encode())
    assert answer.status == 201, answer
    slot = answer.json()
    if mode == "multipart":
        (part,) = ask("GET", f"/{slot['id']}/parts?numbers=1").json()["parts"]
        assert put(part["url"], part["headers"], NEW)[0] == 200
    else:
        assert use(slot, NEW) == 200
    revoke(desk, *(["session", session.id] if kind == "session" else ["user", f"key:{PARTNER.principal}"]))
    assert call(desk, "POST", f"/{slot['id']}/complete", {}, who=ROOT).status == 409
    assert look(desk, slot)["cause"] == "revoked"
    assert body_of(everything, "photos", key) == OLD


def test_what_comes_under_its_key_by_a_slot_that_was_taken_back_is_told_and_stays(desk, everything, north_s3):
    """A minute after the last moment in which it can have come; until then nobody knows."""
    keys = {way: f"slots/{way}-{uuid.uuid4().hex}" for way in [*STRAY, "back", "done"]}
    slots = {way: issue(desk, len(NEW), key=key, who=STRAY.get(way, ROOT)) for way, key in keys.items()}
    assert all(landing(slot) == keys[way] for way, slot in slots.items())
    assert use(slots["early"], NEW) == use(slots["done"], NEW) == 200
    for who in STRAY.values():
        revoke(desk, "user", who.name)
    assert call(desk, "DELETE", f"/{slots['back']['id']}", who=ROOT).status == 204
    assert call(desk, "POST", f"/{slots['done']['id']}/complete", {}, who=ROOT).status == 200
    for way in ("late", "same", "other"):
        assert call(desk, "POST", f"/{slots[way]['id']}/complete", {}, who=ROOT).status == 409
    assert use(slots["late"], NEW) == use(slots["back"], NEW) == 200
    north_s3.put_object(Bucket="photos", Key=keys["other"], Body=NEW + b"!", ContentType="image/png")
    north_s3.put_object(Bucket="photos", Key=keys["same"], Body=NEW, ContentType="text/plain")

    def count(cause):
        return desk.metric("gatehouse_uploads_stray_total", cause=cause)

    assert count("revoked") == count("by_issuer") == 0
    # Those that are open end first, and are looked at a minute after that.
    age(desk, *slots.values())
    assert eventually(lambda: all(look(desk, slot)["state"] not in ("issued", "started") for slot in slots.values()))
    age(desk, *slots.values())
    assert eventually(lambda: not any(has_leftovers(desk, slot) for slot in slots.values()))
    assert (count("revoked"), count("by_issuer")) == (2, 1)
    assert eventually(lambda: len(told := lines(desk)) == 3 and told)
    told = {line["key"]: line for line in lines(desk)}
    assert set(told) == {keys["late"], keys["early"], keys["back"]}
    for way, cause in (("late", "revoked"), ("early", "revoked"), ("back", "by_issuer")):
        line = told[keys[way]]
        assert line["issued"] == {"kind": "upload", "id": slots[way]["id"]}
        assert line["reason"].startswith(f"{cause}: ") and line["bucket"] == "photos"
        assert line["who"] == f"user:{STRAY.get(way, ROOT).name}"
        etag = north_s3.head_object(Bucket="photos", Key=keys[way])["ETag"]
        assert etag in line["reason"]
        assert look(desk, slots[way])["cause"] == cause


def lines(desk):
    return [line for line in desk.audit_log() if line.get("action") == "stray_upload"]


def test_who_has_as_many_as_they_may_costs_the_store_nothing(gateway, stub_store):
    def answer(seen):
        if seen.method == "HEAD":
            return response(404, length=False)
        return s3_error(412, "PreconditionFailed") if seen.method == "PUT" else response(204, length=False)

    store = stub_store(answer)
    gate = gateway({
        "buckets": [{"name": "photos", "backend_type": "s3", "backend_options": {
            "endpoint": f"http://127.0.0.1:{store.port}", "region": "us-east-1", "bucket_name": "b",
            "access_key_id": "AKSTORE", "secret_access_key": "store-secret-0123456789"}}],
        "users": [ROOT.entry("user", ["photos"])],
        "uploads": {"max_open_per_principal": 1},
    })
    assert issue(gate, 100, who=ROOT)["state"] == "issued"
    asked = len(store.seen)
    assert asked > 0
    refused = issue(gate, 100, who=ROOT)
    assert (refused.status, refused.s3_code) == (429, "TooManyOpenUploads")
    assert len(store.seen) == asked
