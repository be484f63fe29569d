"""Upload slots as an application asks for them, and as clients that know nothing of Gatehouse use them."""

import contextlib
import json
import sqlite3
import urllib.error
import urllib.request
import uuid

import requests

from .people import ALICE, FULL, account, everywhere


def desk_config(folder, north, **uploads):
    """Slots at a store and in a folder: alice may have them, and what doesn't fit is removed as far as it may be."""
    files = folder / "files"
    files.mkdir()
    return {
        "accounts": [account("north", north, ["photos", "docs"])],
        "buckets": [{"name": "local", "backend_type": "file", "backend_options": {"path": str(files)}}],
        "users": [ALICE.entry("user", ["photos", "local"])],
        "credentials": [FULL.entry(everywhere())],
        "uploads": {"on_mismatch": "delete", **uploads},
    }


def call(gateway, method, path, body=None, headers=None, who=ALICE):
    fields = {**who.headers, **(headers or {})}
    data = None
    if body is not None:
        fields["content-type"] = "application/json"
        data = json.dumps(body).encode()
    return gateway.request(method, f"/-/v1/uploads{path}", fields, data)


def issue(gateway, size, bucket="photos", key=None, content_type="image/png", who=ALICE, **more):
    """A slot, or the answer that refuses it."""
    body = {"bucket": bucket, "key": key or f"slots/{uuid.uuid4().hex}", "content_type": content_type, "size": size}
    headers = more.pop("headers", None)
    answer = call(gateway, "POST", "", {**body, **more}, headers, who)
    return answer.json() if answer.status == 201 else answer


def use(slot, body, **headers):
    """Sends the bytes as the slot says; the status."""
    upload = slot["upload"]
    if upload["method"] == "POST":
        return requests.post(upload["url"], data=upload["fields"], files={"file": ("file", body)}, timeout=120).status_code
    return put(upload["url"], {**upload["headers"], **headers}, body)[0]


def put(url, headers, body):
    request = urllib.request.Request(url, data=body, method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers


def complete(gateway, slot, parts=None):
    return call(gateway, "POST", f"/{slot['id']}/complete", {} if parts is None else {"parts": parts})


def state(gateway, slot):
    return call(gateway, "GET", f"/{slot['id']}").json()["state"]


@contextlib.contextmanager
def kept_state(gateway):
    """The gateway's state, which it goes on with."""
    with contextlib.closing(sqlite3.connect(gateway.folder / "state" / "gatehouse.db", timeout=120)) as kept, kept:
        yield kept


def age(gateway, *slots, seconds=900):
    """As if they had been issued, and had ended, so much earlier: what begins with their end begins now, however long it
    took to come to that. Their URLs stay good for as long as they say."""
    with kept_state(gateway) as kept:
        for slot in slots:
            changed = kept.execute(
                "UPDATE slot SET issued = issued - :by, expires = expires - :by, finished = finished - :by WHERE id = :id",
                {"by": seconds * 10**9, "id": slot["id"]},
            )
            assert changed.rowcount == 1


def has_leftovers(gateway, slot):
    """Whether what came of a slot at its store is still to be looked at."""
    with kept_state(gateway) as kept:
        return kept.execute("SELECT leftovers FROM slot WHERE id = ?", [slot["id"]]).fetchone() == (1,)
