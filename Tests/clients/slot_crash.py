"""Slots issued, used and completed by many at once, with the gateway killed in the middle and started again.

    python slot_crash.py SLOTS [WORKERS]

Prints what came of it as JSON. Whatever was acknowledged must still hold afterwards: every completion kept and none
doubled, every event told at least once.
"""

import json
import queue
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

from support.gatehouse import Gatehouse, eventually
from support.people import ALICE, NORTH_SECRET, account
from support.seaweed import Seaweed
from support.slots import call, complete, use
from support.webhooks import Webhooks

SECRET = "a secret that only the receiver knows"
BODY = b"sixteen bytes..."


def run(store, folder, slots, workers=32):
    """`store` has the bucket `photos`."""
    hooks = Webhooks(SECRET)
    gateway = Gatehouse(folder, {
        "accounts": [account("north", store, ["photos"])],
        "users": [ALICE.entry("user", ["photos"])],
        "uploads": {
            "events": [f"webhook:{hooks.url}"], "webhook_secret": SECRET, "max_open_per_principal": slots + 1,
            "default_ttl": "1h",
        },
    }).start()
    work = queue.Queue()
    for number in range(slots):
        work.put(number)
    acknowledged, failed, retries = {}, [], Counter()
    halfway = threading.Event()

    def insistently(attempt, creation=None):
        """The answer of a call that is repeated while nobody answers, or cannot yet."""
        deadline = time.monotonic() + 180
        while True:
            try:
                answer = attempt()
                if answer.status not in (409, 503) or answer.s3_code == "UploadNotFound":
                    return answer
                retries[answer.s3_code] += 1
                if answer.s3_code == "RequestInProgress":
                    # The kill came between the first request and its answer: that one is lost for a minute.
                    creation["Idempotency-Key"] = uuid.uuid4().hex
            except OSError:
                retries["no answer"] += 1
            except Exception as error:  # the connection ended within the answer
                retries[type(error).__name__] += 1
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.1)

    def worker():
        while True:
            try:
                number = work.get_nowait()
            except queue.Empty:
                return
            try:
                creation = {"Idempotency-Key": uuid.uuid4().hex}
                wish = {"bucket": "photos", "key": f"crash/{number}", "content_type": "image/png", "size": len(BODY)}
                slot = insistently(lambda: call(gateway, "POST", "", wish, creation), creation).json()
                status = use(slot, BODY)
                assert status == 200, status
                answer = insistently(lambda: complete(gateway, slot))
                assert answer.status == 200, answer
                acknowledged[slot["id"]] = answer.json()["etag"]
                if len(acknowledged) >= slots // 2:
                    halfway.set()
            except Exception as error:
                failed.append(f"{type(error).__name__}: {error}")

    started = time.monotonic()
    threads = [threading.Thread(target=worker) for _ in range(workers)]
    for thread in threads:
        thread.start()
    while not halfway.wait(0.1) and any(thread.is_alive() for thread in threads):
        pass
    gateway.process.signal(9)
    gateway.process.child.wait()
    before = len(acknowledged)
    gateway.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started

    lost = [
        upload for upload, etag in acknowledged.items()
        if (shown := call(gateway, "GET", f"/{upload}").json())["state"] != "completed" or shown["etag"] != etag
    ]
    reached = {
        state: int(gateway.metric("gatehouse_uploads_total", state=state)) for state in ("issued", "completed", "expired")
    }
    def told():
        return gateway.metric("gatehouse_outbox_entries", state="waiting") == 0
    eventually(told, timeout=300, step=0.5)
    ids = {}
    with hooks.lock:
        for event in hooks.events:
            ids.setdefault((event["data"]["id"], event["type"]), set()).add(event["id"])
        deliveries = len(hooks.events)

    def of(kind):
        return {upload for upload, type_ in ids if type_ == f"gatehouse.upload.{kind}"}

    gateway.stop()
    hooks.stop()
    return {
        "slots": slots,
        "workers": workers,
        "seconds": round(seconds, 1),
        "acknowledged": len(acknowledged),
        "acknowledged_before_the_kill": before,
        "failed": failed[:5],
        "lost": len(lost),
        "reached": reached,
        "doubled": sum(len(events) > 1 for events in ids.values()),
        "completions_not_told": len(set(acknowledged) - of("completed")),
        "issues_not_told": len(set(acknowledged) - of("issued")),
        "deliveries": deliveries,
        "events": sum(len(events) for events in ids.values()),
        "retries": dict(retries),
        "unsigned": len(hooks.bad),
    }


def holds(result):
    return (
        result["acknowledged"] == result["slots"] == result["reached"]["completed"]
        and not result["failed"] and result["lost"] == result["doubled"] == 0
        and result["completions_not_told"] == result["issues_not_told"] == result["unsigned"] == 0
    )


def main():
    from support.clients import s3_client

    slots = int(sys.argv[1])
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    with tempfile.TemporaryDirectory() as folder:
        store = Seaweed("north", Path(folder) / "north", "AKNORTH000000EXAMPLE", NORTH_SECRET).start()
        try:
            s3_client(store.endpoint, store.access_key, store.secret_key).create_bucket(Bucket="photos")
            result = run(store, Path(folder) / "gate", slots, workers)
        finally:
            store.stop()
    print(json.dumps(result, indent=2))
    sys.exit(0 if holds(result) else 1)


if __name__ == "__main__":
    main()
